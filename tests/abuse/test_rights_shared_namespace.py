# SPDX-License-Identifier: GPL-2.0-or-later
"""Credentials for one firewall, and another firewall in the same network namespace, under another path of it or as a
conntrack zone of it. No request changes or reveals anything of the other firewall."""

import itertools
import json
import os
import pathlib
import sqlite3
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "lab"), str(HERE.parent / "api")]

from lab import CLIENT, GATEWAY  # noqa: E402
from lab_fixtures import lab, root  # noqa: E402, F401
from service import CLIENT_TLS, OUTSIDE, Service, openssl, sha256  # noqa: E402

# The agent's namespace, the same under its name, a zone of it, and another namespace.
CONFIGURATION = """
firewalls:
  - name: edge
    endpoints: [{{availability_zone: a}}]
  - name: twin
    endpoints: [{{availability_zone: a, netns: THE-SAME}}]
  - name: tenant
    endpoints: [{{availability_zone: a, netns: /run/netns/THE-SAME, conntrack_zone: 5}}]
  - name: far
    endpoints: [{{availability_zone: a, netns: {other}}}]
protected: ['source=10.77.0.0/16']
http:
  socket: {folder}/headgate.sock
  listeners:
    - {{address: 127.0.0.1, port: 8443}}
    - {{address: {outside}, port: 8445, tls: {{certificate: {folder}/server.crt, key: {folder}/server.key, client_ca: {folder}/ca.crt}}}}
  credentials: {folder}/credentials.yaml
"""
WHO = {"all": None, "edge": ["edge"], "twin": ["twin"], "tenant": ["tenant"], "far": ["far"], "group": ["edge", "twin", "tenant"]}
JSON = ["-H", "Content-Type: application/json"]
SHARED = ("edge", "twin", "tenant")


def credentials():
    lines = ["tokens:"]
    for name, firewalls in WHO.items():
        confined = f", firewalls: [{', '.join(firewalls)}]" if firewalls else ""
        lines.append(f"  - {{name: {name}, sha256: {sha256('token-of-' + name)}, role: operator{confined}}}")
    return "\n".join(lines + ["certificates:", "  - {name: ops, role: operator}", "  - {name: 'ops:x', role: operator}", ""])


@pytest.fixture
def service(lab):
    served = Service(lab, CONFIGURATION.replace("THE-SAME", lab.name(GATEWAY)))
    served.write_credentials(credentials())
    served.start()
    assert served.process.poll() is None, served.said()
    yield served
    served.stop()


def ask(service, who, *words):
    status, body = service.curl("-H", f"Authorization: Bearer token-of-{who}", *words)
    return status, body


def request(firewall, type="FLOW_FLUSH", **further):
    return [*JSON, "-d", json.dumps({"type": type, "firewall": firewall, "filters": [{"destination_port": "53"}]} | further),
            "/v1/operations"]


def where(firewall):
    return f"?firewall={firewall}&availability_zone=a"


def changes(firewall):
    yield "apply", ["-X", "PUT", *JSON, "-d", '{"policy": "drop"}', "/v1/stream-exception-policy" + where(firewall)]
    yield "remove", ["-X", "DELETE", "/v1/stream-exception-policy" + where(firewall)]
    yield "flush with a policy", request(firewall, stream_exception_policy="drop")


def end_of(service, started):
    identity = json.loads(started)["operation_id"]
    return json.loads(ask(service, "all", f"/v1/operations/{identity}?wait_ms=30000")[1])


def test_a_policy_of_a_shared_namespace_takes_all_its_firewalls(lab, service):
    lab.fill(20)
    before = lab.run(GATEWAY, "nft", "list", "ruleset").stdout
    refused = 0
    for who, firewall in itertools.product(("edge", "twin", "tenant", "far"), SHARED):
        for name, words in changes(firewall):
            status, body = ask(service, who, *words)
            assert status == 403, (who, firewall, name, status, body)
            refused += 1
    assert lab.run(GATEWAY, "nft", "list", "ruleset").stdout == before and len(lab.conntrack("-p", "udp")) == 20
    recorded = [line for line in service.audit() if line["result"] == "REFUSED"]
    assert len(recorded) == refused, "each is in the audit trail"
    done = 0
    for who in ("group", "all"):
        for name, words in changes("tenant"):
            status, body = ask(service, who, *words)
            assert status in (200, 202), (who, name, body)
            if status == 202:
                assert end_of(service, body)["status"] == "COMPLETED"
            done += 1
    assert ask(service, "far", *next(changes("far"))[1])[0] == 200, "nobody else is there"
    print(f"\nchanges of a shared policy: {refused} tried with too few rights, {refused} refused, 0 changes of the ruleset; "
          f"{done} tried with enough, {done} done")


def test_flows_of_another_firewall_are_neither_ended_nor_shown(lab, service):
    lab.fill(10)
    lab.run(GATEWAY, "conntrack", "-I", "-p", "udp", "-s", "10.9.5.1", "-d", "10.9.5.2", "--sport", "5", "--dport", "53", "-t", "600",
            "--zone", "5")
    _, captured = ask(service, "all", *request("edge", "FLOW_CAPTURE"))
    found = end_of(service, captured)
    assert found["counts"]["matched"] == 11
    identity = found["operation_id"]
    tried = {"capture": request("edge", "FLOW_CAPTURE"), "flush": request("edge"), "census": ["/v1/flow-table" + where("edge")],
             "results": [f"/v1/operations/{identity}/results"],
             "flush of a capture": [*JSON, "-d", json.dumps({"type": "FLOW_FLUSH", "from_capture": identity}), "/v1/operations"]}
    for name, words in tried.items():
        status, body = ask(service, "edge", *words)
        assert status == 403 and "10.9.5.1" not in body, (name, status, body)
    status, body = ask(service, "edge", *request("edge", "FLOW_CAPTURE", zone=0))
    assert status == 403, "the twin has zone 0 as well"
    status, started = ask(service, "tenant", *request("tenant"))
    assert status == 202 and end_of(service, started)["counts"]["flushed"] == 1, "its own flow"
    assert len(lab.conntrack("-p", "udp")) == 10
    status, started = ask(service, "group", *request("edge"))
    assert status == 202 and end_of(service, started)["counts"]["flushed"] == 10
    print(f"\nflows of another firewall: {len(tried) + 1} ways tried, 0 flows ended, 0 flows told")


def test_what_is_shown_of_the_gateway_is_of_the_callers_firewalls(lab, service):
    for firewall in ("tenant", "far"):
        _, started = ask(service, "all", *request(firewall, "FLOW_CAPTURE"))
        end_of(service, started)
    whole = ask(service, "all", "/metrics")[1]
    assert 'headgate_operations_total{firewall="far",status="completed",type="capture"} 1' in whole
    assert "headgate_http_requests_total" in whole and "process_resident_memory_bytes" in whole
    series = [line for line in ask(service, "tenant", "/metrics")[1].splitlines() if not line.startswith("#")]
    strange = [line for line in series if 'firewall="tenant"' not in line]
    assert series and not strange, strange
    assert 'headgate_operations_total{firewall="tenant",status="completed",type="capture"} 1' in series
    told = ask(service, "tenant", "/v1/configuration")[1]
    configuration = json.loads(told)["configuration"]
    assert [each["name"] for each in configuration["firewalls"]] == ["tenant"]
    for secret in (str(lab.folder), "10.77.0.0", "8445", "audit", "twin", "far"):
        assert secret not in told, secret
    assert "10.77.0.0" in ask(service, "all", "/v1/configuration")[1]
    print(f"\ntold to credentials of one firewall: {len(series)} series of its own, 0 of {len(whole.splitlines())} lines of others; "
          f"configuration: {len(configuration)} settings, 0 paths")


def test_listing_costs_no_more_for_the_operations_of_others(lab, service):
    others = 20_000
    _, started = ask(service, "all", *request("far", "FLOW_CAPTURE"))
    end_of(service, started)
    _, started = ask(service, "all", *request("tenant", "FLOW_CAPTURE"))
    mine = end_of(service, started)["operation_id"]
    with sqlite3.connect(lab.folder / "state" / "operations.db", timeout=30) as database:
        database.execute(f"""
            WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {others})
            INSERT INTO operations (id, type, status, firewall, availability_zone, requested_at, document, ended_after)
            SELECT 'made-up-' || n, type, status, firewall, availability_zone, requested_at, document, ended_after
            FROM numbers, operations WHERE firewall = 'far' AND id NOT LIKE 'made-up-%'""")
    database.close()

    def cpu():
        fields = pathlib.Path(f"/proc/{service.pid()}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cost(who, *words, times=20):
        before = cpu()
        for _ in range(times):
            status, body = ask(service, who, *words)
            assert status == 200, body
        return (cpu() - before) / times, json.loads(body)

    theirs, listed = cost("tenant", "/v1/operations?limit=1")
    assert [each["operation_id"] for each in listed["operations"]] == [mine]
    all_pages, page = [], "/v1/operations?limit=1"
    while True:
        listed = json.loads(ask(service, "tenant", page)[1])
        all_pages += [each["operation_id"] for each in listed["operations"]]
        if "next_cursor" not in listed:
            break
        page = f"/v1/operations?limit=1&cursor={listed['next_cursor']}"
    assert all_pages == [mine], "pages are exact"
    whole, _ = cost("all", "/v1/operations?limit=1")
    assert theirs < whole + 0.05, (theirs, whole)
    print(f"\nlisting with limit=1 beside {others} operations of others: {1000 * theirs:.1f} ms of CPU; for one who sees all "
          f"{1000 * whole:.1f} ms")


def test_a_key_of_one_caller_is_never_anothers(lab, service):
    for name, subject in (("one", "ops"), ("two", "ops:x")):
        openssl(lab.folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={subject}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(lab.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-out", f"{name}.crt")

    def capture(name, key):
        done = service.curl("--cacert", f"{lab.folder}/ca.crt", "--cert", f"{lab.folder}/{name}.crt", "--key", f"{lab.folder}/{name}.key",
                            "-H", f"Idempotency-Key: {key}", *request("far", "FLOW_CAPTURE"), host=CLIENT, url=f"https://{OUTSIDE}:{CLIENT_TLS}")
        assert done[0] == 202, done
        ended = end_of(service, done[1])
        return ended["operation_id"], ended["requested_by"]["user"]

    keys = [("two", "k"), ("one", "x:k"), ("one", "x%3Ak"), ("two", "%3Ak"), ("one", "x::k"), ("two", ":k")]
    first = {pair: capture(*pair) for pair in keys}
    assert len({identity for identity, _ in first.values()}) == len(keys), first
    for pair in keys:
        assert capture(*pair) == first[pair], "asked again, the same caller has its own"
    print(f"\nkeys that look alike: {len(keys)} tried, {len(keys)} operations, each its caller's")
