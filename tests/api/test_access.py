# SPDX-License-Identifier: GPL-2.0-or-later
"""Permissions over TCP: curl with a signature, a token, a certificate, and no credentials; and effects of a reload."""

import contextlib
import http.client
import json
import os
import signal

import pytest

from lab import CLIENT, GATEWAY, wait_until
from test_abuse import connect
from service import (ARN, CLIENT_TLS, CONFIGURATION, CREDENTIALS, OPERATOR, OUTSIDE, PLAIN, REGION, TLS, TOKENS, VIEWER, Sdk, Service,
                     sha256)

CAPTURE = json.dumps({"type": "FLOW_CAPTURE", "availability_zone": "a", "firewall": "edge", "filters": [{"destination_port": "53"}]})
FLUSH = CAPTURE.replace("CAPTURE", "FLUSH")
JSON = ["-H", "Content-Type: application/json"]


def signed(credentials):
    return ["--aws-sigv4", f"aws:amz:{REGION}:network-firewall", "-u", f"{credentials['key']}:{credentials['secret']}"]


def bearer(token):
    return ["-H", f"Authorization: Bearer {token}"]


def over_tls(service, *words, port=TLS):
    return service.curl("--cacert", str(service.lab.folder / "ca.crt"), *words, host=CLIENT, url=f"https://{OUTSIDE}:{port}")


def certificate(service, name):
    return ["--cert", str(service.lab.folder / f"{name}.crt"), "--key", str(service.lab.folder / f"{name}.key")]


def in_gateway(lab):
    """A persistent connection from inside of the gateway."""
    connection = http.client.HTTPConnection("127.0.0.1", PLAIN, timeout=10)
    connection.sock = connect(lab)
    return contextlib.closing(connection)


def ask_on(connection, method, path):
    connection.request(method, path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def flush_status(service, *credentials, call=None):
    status, body = (call or service.curl)(*credentials, *JSON, "-d", FLUSH, "/v1/operations")
    return status, json.loads(body)


def test_curl_signs_and_is_known(service):
    assert service.curl(*signed(VIEWER), "/v1/operations")[0] == 200
    assert service.curl(*signed(VIEWER), "/v1/operations?type=FLOW_CAPTURE")[0] == 200
    status, started = flush_status(service, *signed(OPERATOR))
    assert status == 202 and started["requested_by"]["user"] == OPERATOR["key"], started
    status, problem = flush_status(service, *signed(VIEWER))
    assert status == 403 and "operator" in problem["detail"]
    for wrong in ({"key": "NOBODY", "secret": "x"}, OPERATOR | {"secret": "wrong"}):
        assert service.curl(*signed(wrong), "/v1/operations")[0] == 401
    status, body = service.curl(*signed(OPERATOR), "-X", "POST", "-H", "X-Amz-Target: NetworkFirewall_20201112.ListFirewalls", "-H",
                                "Content-Type: application/x-amz-json-1.0", "-d", "{}", "/")
    assert status == 200 and ARN in body, body


def test_a_token_is_known_by_its_hash(service):
    status, started = flush_status(service, *bearer(TOKENS["operator"]))
    assert status == 202 and started["requested_by"] == {"face": "token", "user": "on-call", "source_address": "127.0.0.1"}
    assert flush_status(service, *bearer(TOKENS["viewer"]))[0] == 403
    assert service.curl(*bearer(TOKENS["viewer"]), "/v1/flow-table?firewall=edge&availability_zone=a")[0] == 200
    assert service.curl(*bearer(sha256(TOKENS["viewer"])), "/v1/operations")[0] == 401, "the hash is no token"
    assert TOKENS["operator"] not in service.said()


def test_without_credentials_only_what_reveals_nothing_is_served(service):
    assert service.curl("/healthz")[0] == 200 and service.curl("/openapi.yaml")[0] == 200
    for path in ("/v1/operations", "/metrics", "/readyz", "/v1/configuration", "/v1/nothing"):
        status, body = service.curl("-D", "-", path)
        assert status == 401 and "WWW-Authenticate: Bearer" in body and "application/problem+json" in body, (path, body)
    status, body = service.curl("-H", "X-Amz-Target: NetworkFirewall_20201112.ListFirewalls", "-d", "{}", "/")
    assert status == 403 and json.loads(body)["__type"].endswith("#AccessDeniedException")


def test_off_loopback_there_is_tls(lab, service):
    assert over_tls(service, *bearer(TOKENS["viewer"]), "/v1/operations")[0] == 200
    assert over_tls(service, "--tls-max", "1.1", "/healthz")[0] < 0, "TLS 1.1 is too old"
    assert over_tls(service, "--tlsv1.2", "--tls-max", "1.2", "/healthz")[0] == 200
    status, _ = service.curl("/healthz", host=CLIENT, url=f"http://{OUTSIDE}:{TLS}")
    assert status <= 0, "not in the clear"
    assert service.curl("/healthz", host=CLIENT, url=f"http://{OUTSIDE}:{PLAIN}")[0] < 0, "no server listens there"
    remote = Sdk(lab, CLIENT, f"https://{OUTSIDE}:{TLS}", lab.folder / "ca.crt")
    assert remote.call("ListFirewalls", credentials=VIEWER)["Firewalls"]


def test_a_certificate_is_asked_for_where_it_is_configured_to_be(service):
    assert over_tls(service, "/healthz", port=CLIENT_TLS)[0] < 0, "none was shown"

    def engineer(*words):
        return over_tls(service, *certificate(service, "engineer"), *words, port=CLIENT_TLS)

    status, started = flush_status(service, call=engineer)
    assert status == 202 and started["requested_by"]["face"] == "certificate" and started["requested_by"]["user"] == "engineer"
    stranger = certificate(service, "stranger")
    assert over_tls(service, *stranger, "/v1/operations", port=CLIENT_TLS)[0] == 401, "known to the authority, not to us"
    assert over_tls(service, *stranger, *bearer(TOKENS["viewer"]), "/v1/operations", port=CLIENT_TLS)[0] == 200
    assert engineer(*bearer("wrong"), "/v1/operations")[0] == 401, "who shows a token is judged by it"


def test_a_flush_of_everything_leaves_the_way_back(lab, service):
    """The operator's own connections to the agent, several of which an SDK keeps open, are protected."""
    remote = Sdk(lab, CLIENT, f"https://{OUTSIDE}:{TLS}", lab.folder / "ca.crt")
    everything = [{"SourceAddress": {"AddressDefinition": prefix}} for prefix in ("0.0.0.0/0", "::/0")]
    lab.fill(10)
    flushed = remote.run("StartFlowFlush", FlowFilters=everything)
    assert len(remote.flows(flushed)) >= 10
    assert lab.conntrack("-p", "tcp", "--dport", str(TLS)) and not lab.conntrack("-p", "udp", "--dport", "53")
    [line] = [line for line in service.audit() if line["operation_id"] == flushed]
    assert line["counts"]["protected"] >= 1


def test_a_signed_start_that_is_sent_again_has_its_first_result(lab, service):
    lab.fill(5)
    done = lab.run(GATEWAY, "curl", "-sv", *signed(OPERATOR), *JSON, "-d", FLUSH, f"http://127.0.0.1:{PLAIN}/v1/operations")
    first = (202, done.stdout)
    sent = [line.removeprefix("> ") for line in done.stderr.splitlines() if line.startswith(("> Authorization: AWS4", "> X-Amz-Date: "))]
    assert len(sent) == 2 and "operation_id" in first[1], done
    headers = [word for line in sent for word in ("-H", line)]
    service.curl(*bearer(TOKENS["viewer"]), f"/v1/operations/{json.loads(first[1])['operation_id']}?wait_ms=30000")
    lab.fill(5)
    again = service.curl(*headers, *JSON, "-d", FLUSH, "/v1/operations")
    assert again[0] == 202 and json.loads(again[1])["operation_id"] == json.loads(first[1])["operation_id"]
    altered = service.curl(*headers, *JSON, "-H", "Idempotency-Key: another", "-d", FLUSH, "/v1/operations")
    assert altered[0] != 202 or json.loads(altered[1])["operation_id"] == json.loads(first[1])["operation_id"]
    assert len(lab.conntrack("-p", "udp", "--dport", "53")) == 5, "what came later is still there"
    service.stop()
    service.start()
    late = service.curl(*headers, *JSON, "-d", FLUSH, "/v1/operations")
    assert late[0] in (202, 409) and len(lab.conntrack("-p", "udp", "--dport", "53")) == 5, late


def test_nothing_listens_without_credentials_but_on_an_insecure_loopback(lab):
    service = Service(lab, CONFIGURATION.replace("  credentials: {folder}/credentials.yaml\n", ""))
    service.start()
    try:
        assert service.curl("/healthz")[0] < 0 and "no http.credentials" in service.said()
        listening = lab.run(GATEWAY, "ss", "-Htln").stdout
        assert f":{PLAIN}" not in listening and f":{TLS}" not in listening
        service.configure(CONFIGURATION.replace("  credentials: {folder}/credentials.yaml\n", "  insecure_loopback: true\n"))
        os.kill(service.pid(), signal.SIGHUP)
        wait_until(lambda: "reloaded" in service.said(), "the agent reloads")
        status, started = flush_status(service)
        assert status == 202 and started["requested_by"]["face"] == "loopback"
        assert service.curl("/healthz", host=CLIENT, url=f"https://{OUTSIDE}:{TLS}")[0] < 0
        assert service.curl("-H", "Host: evil.example", "/v1/operations")[0] == 403, "a name that was turned to loopback"
        assert service.curl("-H", "Origin: https://evil.example", *JSON, "-d", FLUSH, "/v1/operations")[0] == 403
        with in_gateway(lab) as kept:
            assert ask_on(kept, "GET", "/v1/operations") == 200
            service.configure(CONFIGURATION)
            os.kill(service.pid(), signal.SIGHUP)
            wait_until(lambda: service.said().count("reloaded") > 1, "the agent reloads")
            with pytest.raises((OSError, http.client.HTTPException)):
                ask_on(kept, "GET", "/v1/operations")  # the permissions at the time of the connection no longer apply
    finally:
        assert service.stop() == 0


def test_credentials_are_read_anew_and_bad_ones_change_nothing(lab, service):
    def reload(expected):
        before = service.said().count(expected)
        os.kill(service.pid(), signal.SIGHUP)
        wait_until(lambda: service.said().count(expected) > before, expected)

    service.write_credentials(f"tokens: [{{name: new, sha256: {sha256('new')}, role: viewer}}]\n", mode=0o644)
    reload("stays as it was")
    assert "chmod 600" in service.said() and service.curl(*bearer(TOKENS["viewer"]), "/v1/operations")[0] == 200
    service.write_credentials("tokens: [{name: new, sha256: 12, role: king}]\n")
    reload("stays as it was")
    assert service.curl(*bearer(TOKENS["viewer"]), "/v1/operations")[0] == 200
    service.write_credentials(f"tokens: [{{name: new, sha256: {sha256('new')}, role: viewer}}]\n")
    reload("reloaded")
    assert service.curl(*bearer("new"), "/v1/operations")[0] == 200
    assert service.curl(*bearer(TOKENS["viewer"]), "/v1/operations")[0] == 401
    (lab.folder / "server.key").chmod(0o644)
    reload("stays as it was")
    assert over_tls(service, *bearer("new"), "/v1/operations")[0] == 200


def test_an_agent_that_cannot_have_its_listeners_does_not_start(lab):
    service = Service(lab)
    service.write_credentials(CREDENTIALS, mode=0o644)
    service.start()
    assert service.process.wait(timeout=30) != 0 and "chmod 600" in service.said()
    assert not (lab.folder / "headgate.sock").exists()
