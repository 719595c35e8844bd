# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages of other sites that send requests through the browser of a user who needs no credentials."""

import itertools
import json

import pytest

from figures import Figures, for_a_while
from lab import Lab
from service import CONFIGURATION, PLAIN, Service

OPEN = CONFIGURATION.replace("  credentials: {folder}/credentials.yaml\n", "  insecure_loopback: true\n").replace("  connections: 8\n", "")

PATHS = ["/v1/flow-table?firewall=edge&availability_zone=a", "/v1/operations", "/v1/overview", "/v1/flow-log", "/v1/configuration",
         "/metrics", "/readyz"]

PAGES = {
    "a picture": ["-H", "Sec-Fetch-Site: cross-site", "-H", "Sec-Fetch-Mode: no-cors", "-H", "Sec-Fetch-Dest: image"],
    "another port": ["-H", "Sec-Fetch-Site: same-site", "-H", "Sec-Fetch-Mode: no-cors"],
    "a link": ["-H", "Sec-Fetch-Site: cross-site", "-H", "Sec-Fetch-Mode: navigate", "-H", "Sec-Fetch-Dest: document"],
    "a script": ["-H", "Origin: https://evil.example", "-H", "Sec-Fetch-Site: cross-site", "-H", "Sec-Fetch-Mode: cors"],
    "an old browser's script": ["-H", "Origin: https://evil.example"],
    "a frame without origin": ["-H", "Origin: null"],
    "a name that was turned to loopback": ["-H", "Host: evil.example", "-H", "Sec-Fetch-Site: same-origin"],
    "that name and our port": ["-H", f"Host: evil.example:{PLAIN}", "-H", f"Origin: http://evil.example:{PLAIN}"],
    "a name that looks like ours": ["-H", "Host: localhost.evil.example"],
    "that name as a whole URL": ["--request-target", f"http://evil.example:{PLAIN}/v1/operations"],
}


@pytest.fixture(scope="module")
def service(request, root):
    with Lab(request.node.nodeid) as lab:
        served = Service(lab, OPEN).start()
        assert served.process.poll() is None, served.said()
        yield served
        assert served.stop() == 0


def test_no_page_of_another_site_is_answered(service):
    figures = Figures("pages of other sites", service.pid())
    asked = itertools.cycle(itertools.product(PAGES.items(), PATHS, (["-X", "GET"], ["-I"], ["-H", "Content-Type: text/plain", "-d", "{}"])))
    for _ in for_a_while():
        (name, headers), path, method = next(asked)
        status, body = service.curl(*method, *headers, path)
        assert status == 403, (name, path, method, body)
        figures.count("requests")
    figures.tell()
    assert json.loads(service.curl("/v1/operations")[1]) == {"operations": []}


def test_the_console_and_curl_go_on(service):
    assert service.curl("/v1/operations")[0] == 200
    assert service.curl("/v1/operations", url=f"http://localhost:{PLAIN}")[0] == 200
    own = ["-H", "Sec-Fetch-Site: same-origin", "-H", f"Origin: http://127.0.0.1:{PLAIN}"]
    assert service.curl(*own, "/v1/operations")[0] == 200
    assert service.curl("-H", "Sec-Fetch-Site: none", "-H", "Sec-Fetch-Mode: navigate", "/v1/operations")[0] == 200
    assert service.curl("-H", "Sec-Fetch-Site: cross-site", "-H", "Sec-Fetch-Mode: navigate", "/")[0] == 200, "a link to the console"
