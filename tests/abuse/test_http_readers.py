# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that request long responses and do not read them."""

import json

import pytest

import sockets
from figures import Figures, descriptors, for_a_while
from lab import GATEWAY, wait_until
from service import CONFIGURATION, PLAIN, TOKENS, Service
from sockets import in_namespace

READERS = 30

# Memory that the agent may use per reader, with its thread, and with a connection to the store if it reads from there.
KILOBYTES, KILOBYTES_FROM_STORE = 256, 640

BEARER = f"Authorization: Bearer {TOKENS['viewer']}\r\n"


@pytest.fixture
def service(lab):
    served = Service(lab, CONFIGURATION.replace("  connections: 8\n", "")).start()
    assert served.process.poll() is None, served.said()
    yield served
    assert served.stop() == 0


@pytest.fixture
def flushed(service):
    """The id of a flush of 6,000 flows, all of which are in the flow log."""
    service.lab.fill_many(6000)
    done = service.lab.headgate("flush", "--destination-port", "53", "--protocol", "udp", "--firewall", "edge", "--availability-zone",
                                "a", "--yes", "--output", "json", netns=False)
    operation = json.loads(done.stdout)
    assert operation["counts"]["flushed"] == 6000
    wait_until(lambda: records(service) == 5000, "the flow log tells what was flushed", 30)
    return operation["operation_id"]


def records(service):
    status, body = service.curl("-H", BEARER.strip(), "/v1/flow-log?latest=5000")
    return len(json.loads(body)["records"]) if status == 200 else status


@pytest.mark.parametrize("path, accept", [
    ("/v1/flow-log?latest=5000", "application/json"),
    ("/v1/flow-log?latest=5000", "application/x-ndjson"),
    ("/v1/flow-log?latest=5000", "text/event-stream"),
    ("/v1/operations/{id}/results", "application/json"),
    ("/v1/operations/{id}/results", "text/csv"),
    ("/v1/overview", "text/event-stream"),
])
def test_who_does_not_read_takes_little_memory(service, flushed, path, accept):
    def reader():
        connection = sockets.connect("127.0.0.1", PLAIN, receive=4096)
        connection.sendall(f"GET {path.format(id=flushed)} HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n{BEARER}\r\n".encode())
        return connection

    figures = Figures(f"readers of {path} as {accept}", service.pid())
    before = descriptors(service.pid())
    for _ in for_a_while():
        held = [in_namespace(service.lab, GATEWAY, reader) for _ in range(READERS)]
        for connection in held:
            assert connection.recv(12) == b"HTTP/1.1 200"
        figures.count("readers", READERS)
        figures.counts["KiB for each"] = max(figures.counts.get("KiB for each", 0), figures.grown() // READERS)
        assert service.curl("-H", BEARER.strip(), "/healthz")[0] == 200
        for connection in held:
            connection.close()
        wait_until(lambda: descriptors(service.pid()) <= before, "they are noticed to be gone", 30)
    figures.tell()
    assert figures.counts["KiB for each"] < (KILOBYTES_FROM_STORE if "results" in path else KILOBYTES)
