# SPDX-License-Identifier: GPL-2.0-or-later
"""Slow, broken or hostile clients get one response or none, and all other clients are served meanwhile."""

import contextlib
import json
import os
import pathlib
import signal
import threading
import time

import pytest

import sockets
from lab import CLIENT, GATEWAY, wait_until
from service import CONFIGURATION, OUTSIDE, PLAIN, TLS, TOKENS, Service
from sockets import hear_all, in_namespace

BEARER = f"Authorization: Bearer {TOKENS['viewer']}\r\n"
CONNECTIONS = 8  # as configured


def connect(lab, port=PLAIN, host=GATEWAY, address="127.0.0.1"):
    return in_namespace(lab, host, lambda: sockets.connect(address, port))


def say(lab, text, hear=True):
    with connect(lab) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(text if isinstance(text, bytes) else text.encode())
        return hear_all(connection) if hear else b""


def is_served(service):
    return service.curl("-H", BEARER.strip(), "/v1/operations")[0] == 200


def threads(service):
    return len(list(pathlib.Path(f"/proc/{service.pid()}/task").iterdir()))


def descriptors(service):
    return len(list(pathlib.Path(f"/proc/{service.pid()}/fd").iterdir()))


def test_slow_clients_delay_no_others_for_long(lab, service):
    """Slowloris: more connections than threads, each of which sends a byte now and then."""
    slow = [connect(lab) for _ in range(2 * CONNECTIONS)]
    assert lab.headgate("operations", "list", netns=False).returncode == 0, "the Unix socket has threads of its own"
    begun = time.monotonic()
    while time.monotonic() - begun < 12:
        for connection in slow:
            with contextlib.suppress(OSError):
                connection.send(b"GET / HTTP/1.1\r\nX: "[:1])
        time.sleep(1)
    wait_until(lambda: is_served(service), "others are served", 30)
    assert lab.headgate("operations", "list", netns=False).returncode == 0
    for connection in slow:
        connection.close()
    assert threads(service) < 3 * CONNECTIONS + 32


def test_a_slow_handshake_is_no_way_around_the_deadline(lab, service):
    quiet = connect(lab, TLS, CLIENT, OUTSIDE)
    dripping = connect(lab, TLS, CLIENT, OUTSIDE)
    hello = bytes.fromhex("1603010200010001fc0303") + os.urandom(200)
    closed = False
    for byte in hello[:50]:
        try:
            dripping.send(bytes([byte]))
        except OSError:
            closed = True
            break
        time.sleep(0.5)
    assert closed, "a byte now and then does not keep the connection"
    assert hear_all(quiet) == b""


ORDER = f"POST /v1/operations HTTP/1.1\r\nHost: a\r\n{BEARER}"
WRONG = {
    "a long field": (f"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: {'x' * 70_000}\r\n\r\n", 431),
    "many fields": ("GET /healthz HTTP/1.1\r\nHost: a\r\n" + "".join(f"X-{i}: y\r\n" for i in range(20_000)) + "\r\n", 431),
    "a long path": (f"GET /{'x' * 70_000} HTTP/1.1\r\nHost: a\r\n\r\n", 431),
    "a large body": (f"{ORDER}Content-Length: 99999999999\r\n\r\n", 413),
    "a negative length": (f"{ORDER}Content-Length: -1\r\n\r\n", 400),
    "two lengths": (f"{ORDER}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "a length and chunks": (f"{ORDER}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "an unknown encoding": (f"{ORDER}Transfer-Encoding: gzip\r\n\r\n", 400),
    "a chunk beyond numbers": (f"{ORDER}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
    "a field without a colon": ("GET /healthz HTTP/1.1\r\nHost: a\r\nname\r\n\r\n", 400),
    "no host": ("GET /healthz HTTP/1.1\r\n\r\n", 400),
    "two hosts": ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    "fields without end": ("GET /healthz HTTP/1.1\r\nHost: a\r\n" + "a:\r\n" * 200, 431),
    "another version": ("GET / HTTP/9.9\r\n\r\n", 400),
    "a path that is not encoded": (f"GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{BEARER}\r\n", 404),
    "a query that is not encoded": (f"GET /v1/operations?limit=%zz HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n", 400),
    "words as mail has them": (f"GET /v1/operations HTTP/1.1\r\nHost: a\r\nAuthorization: =?utf-8?Q?Bearer_{TOKENS['viewer']}?=\r\nConnection: close\r\n\r\n", 401),
    "a zero in a field": (f"GET /v1/operations HTTP/1.1\r\nHost: a\r\nX-A: \0\r\n{BEARER}\r\n", 400),
    "a name with a blank": (f"GET /v1/operations HTTP/1.1\r\nHost: a\r\nX A: b\r\n{BEARER}\r\n", 400),
    "a field over two lines": (f"GET /v1/operations HTTP/1.1\r\nHost: a\r\nX-A: b\r\n  c\r\n{BEARER}\r\n", 400),
    "no HTTP": ("NONSENSE\r\n\r\n", 400),
    "TLS in the clear": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "no text": (b"\x00\xff\xfe\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_too_large_or_malformed_has_one_answer(shared_service, name):
    request_text, status = WRONG[name]
    heard = say(shared_service.lab, request_text)
    assert heard.startswith(b"HTTP/1.1 %d " % status) and b"application/problem+json" in heard, heard[:200]
    assert is_served(shared_service)


def test_requests_behind_each_other_are_answered_in_their_order(shared_service):
    one = f"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/nothing HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n"
    last = f"GET /v1/operations HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{BEARER}\r\n"
    heard = say(shared_service.lab, one * 50 + last)
    statuses = [line.split()[1] for line in heard.decode().splitlines() if line.startswith("HTTP/1.1 ")]
    assert statuses == ["200", "404"] * 50 + ["200"]


def test_a_whole_url_is_served(shared_service):
    for target, status in (("http://gateway/v1/operations", 200), ("https://gateway:1/v1/nothing", 404), ("ftp://gateway/", 400)):
        heard = say(shared_service.lab, f"GET {target} HTTP/1.1\r\nHost: other\r\nConnection: close\r\n{BEARER}\r\n")
        assert heard.startswith(b"HTTP/1.1 %d " % status), (target, heard[:200])


def test_a_request_that_ends_in_the_middle_does_nothing(shared_service):
    request = json.dumps({"type": "FLOW_CAPTURE", "firewall": "edge", "availability_zone": "a", "filters": [{}]})
    whole = (f"POST /v1/operations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{BEARER}"
             f"Content-Length: {len(request)}\r\n\r\n{request}")
    before = json.loads(shared_service.curl("-H", BEARER.strip(), "/v1/operations")[1])["operations"]
    for length in range(0, len(whole) - 1, 7):
        say(shared_service.lab, whole[:length], hear=False)
    after = json.loads(shared_service.curl("-H", BEARER.strip(), "/v1/operations")[1])["operations"]
    assert after == before


def test_of_more_connections_than_there_may_be_the_oldest_without_a_request_go(lab, service):
    many = []
    for _ in range(CONNECTIONS + 200):
        many.append(connect(lab))
        with contextlib.suppress(OSError):
            many[-1].sendall(b"G")
    heard = sum(b"503" in in_time(connection) for connection in many[:20])
    assert heard >= 1, "those that have to go are told"
    assert is_served(service), "and whoever comes is served"
    assert lab.headgate("operations", "list", netns=False).returncode == 0
    assert threads(service) < 3 * CONNECTIONS + 32
    for connection in many:
        connection.close()


def in_time(connection):
    connection.settimeout(0.2)
    with contextlib.suppress(OSError):
        return connection.recv(200)
    return b""


def test_one_address_cannot_have_all_connections(lab, service):
    """One unauthenticated address gets at most half of the connections; clients at other addresses are served."""
    held = []
    for _ in range(20 * CONNECTIONS):
        held.append(connect(lab, TLS, CLIENT, OUTSIDE))
        with contextlib.suppress(OSError):
            held[-1].sendall(b"\x16")
    for _ in range(5):
        assert is_served(service)
    metrics = service.curl("-H", BEARER.strip(), "/metrics")[1]
    [line] = [line for line in metrics.splitlines() if line.startswith("headgate_http_connections_turned_away_total")]
    assert float(line.split()[1]) >= 10 * CONNECTIONS
    for connection in held:
        connection.close()


def test_the_end_is_not_put_off_by_those_who_keep_asking(lab, service):
    stop = threading.Event()

    def poll():
        while not stop.is_set():
            service.curl("-m", "1", "/healthz")

    pollers = [threading.Thread(target=poll) for _ in range(3)]
    for each in pollers:
        each.start()
    with connect(lab) as half:
        half.sendall(b"GET /healthz HT")
        begun = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - begun < 10
    stop.set()
    for each in pollers:
        each.join()


def test_who_goes_away_in_the_middle_of_many_rows_leaves_nothing_behind(lab, service):
    lab.fill_many(100_000)
    done = lab.headgate("capture", "--all", "--firewall", "edge", "--availability-zone", "a", "--output", "ndjson", netns=False)
    operation = json.loads(done.stdout.splitlines()[-1])["operation_id"]
    wait_until(lambda: is_served(service), "the agent is served")
    time.sleep(1)
    before = descriptors(service)

    def is_served_and_goes_away():
        """Until the agent notices that earlier clients are gone, it may ask this one to come again later."""
        with connect(lab) as connection:
            connection.sendall(f"GET /v1/operations/{operation}/results HTTP/1.1\r\nHost: a\r\nAccept: application/x-ndjson\r\n{BEARER}\r\n"
                               .encode())
            answer = connection.recv(1000)
        assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 429")), answer
        return b" 200 " in answer[:15]

    for _ in range(3 * CONNECTIONS):
        wait_until(is_served_and_goes_away, "one more client is served")
    wait_until(lambda: descriptors(service) <= before + 1, "descriptors are given back")
    assert is_served(service)
    status, body = service.curl("-H", BEARER.strip(), "-H", "Accept: application/x-ndjson", f"/v1/operations/{operation}/results")
    assert status == 200 and len(body.splitlines()) >= 100_000


def test_a_key_that_asks_too_often_is_throttled(lab):
    service = Service(lab, CONFIGURATION.replace("  connections: 8\n", "  connections: 8\n  requests_per_second: 5\n")).start()
    try:
        with connect(lab) as connection:  # pipelined: one process per request may be too slow to reach the limit
            connection.sendall(f"GET /v1/operations HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n".encode() * 30)
            heard = b""
            while heard.count(b"HTTP/1.1 ") < 30:
                heard += connection.recv(65536)
        statuses = [int(each[:3]) for each in heard.split(b"HTTP/1.1 ")[1:]]
        assert statuses[0] == 200 and 429 in statuses and set(statuses) <= {200, 429}
        _, head = service.curl("-D", "-", "-o", "/dev/null", "-H", BEARER.strip(), "/v1/operations")
        assert "Retry-After: 1" in head or " 200 " in head
        other = f"Authorization: Bearer {TOKENS['operator']}"
        assert service.curl("-H", other, "/v1/operations")[0] == 200, "others are not held back"
    finally:
        service.stop()


def test_the_end_of_the_agent_waits_for_answers_in_hand(lab, service):
    lab.fill_many(60_000)
    events = lab.start(GATEWAY, "curl", "-sN", "-X", "POST", "-H", f"Authorization: Bearer {TOKENS['operator']}", "-H",
                       "Content-Type: application/json", "-d",
                       json.dumps({"type": "FLOW_FLUSH", "firewall": "edge", "availability_zone": "a", "filters": [{"destination_port": "53"}]}),
                       f"http://127.0.0.1:{PLAIN}/v1/operations")
    operation = json.loads(events.communicate()[0])["operation_id"]
    lab.processes.remove(events)
    follower = lab.start(GATEWAY, "curl", "-sN", "-H", BEARER.strip(), f"http://127.0.0.1:{PLAIN}/v1/operations/{operation}/events")
    wait_until(lambda: follower.stdout.readline().startswith("event:"), "progress is told")
    os.kill(service.pid(), signal.SIGTERM)
    rest = follower.communicate(timeout=60)[0]
    lab.processes.remove(follower)
    assert "event: end" in rest and "COMPLETED" in rest.rpartition("data:")[2], rest[-500:]
    assert service.process.wait(timeout=60) == 0
