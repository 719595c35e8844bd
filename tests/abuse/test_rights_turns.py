# SPDX-License-Identifier: GPL-2.0-or-later
"""Viewers who capture continuously, also all at once, cannot keep an operator from flushing, nor evict its history."""

import json
import pathlib
import sys
import threading
import time

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "lab"), str(HERE.parent / "api")]

from lab import wait_until  # noqa: E402
from lab_fixtures import lab, root  # noqa: E402, F401
from service import CONFIGURATION, TOKENS, Service  # noqa: E402

JSON = ["-H", "Content-Type: application/json"]
BY = {who: ["-H", f"Authorization: Bearer {token}"] for who, token in TOKENS.items()}


def request(type, port="53"):
    return [*JSON, "-d", json.dumps({"type": type, "firewall": "edge", "availability_zone": "a", "filters": [{"destination_port": port}]}),
            "/v1/operations"]


class Viewers:
    """Several viewers that capture in a loop."""

    def __init__(self, service, count, port="53"):
        self.over, self.begun, self.refused = threading.Event(), 0, 0
        self.threads = [threading.Thread(target=self.capture, args=(service, port)) for _ in range(count)]

    def capture(self, service, port):
        while not self.over.is_set():
            status, _ = service.curl(*BY["viewer"], *request("FLOW_CAPTURE", port))
            self.begun += status == 202
            self.refused += status != 202

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: self.begun > 3, "they capture", 60)
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def serve(lab):
    served = []

    def start(further=""):
        served.append(Service(lab, CONFIGURATION.replace("connections: 8", "connections: 32") + further).start())
        return served[0]

    yield start
    for each in served:
        each.stop()


def test_captures_in_a_loop_keep_no_flush_out(lab, serve):
    service = serve()
    lab.fill_many(20_000)
    flushes, longest = 12, 0
    with Viewers(service, 4) as viewers:
        for _ in range(flushes):
            begun = time.monotonic()
            status, body = service.curl(*BY["operator"], *request("FLOW_FLUSH", "9"))
            longest = max(longest, time.monotonic() - begun)
            assert status == 202, body
            identity = json.loads(body)["operation_id"]
            ended = json.loads(service.curl(*BY["operator"], f"/v1/operations/{identity}?wait_ms=30000")[1])
            assert ended["status"] == "COMPLETED", ended
    print(f"\n{len(viewers.threads)} viewers, {viewers.begun} captures begun, {viewers.refused} refused: {flushes} of {flushes} flushes "
          f"begun, the longest after {1000 * longest:.0f} ms")


def test_nor_do_captures_of_other_processes(lab):
    lab.fill_many(20_000)
    over, captures = threading.Event(), []

    def capture():
        while not over.is_set():
            captures.append(lab.headgate("capture", "--all", "--output", "ndjson").returncode)

    threads = [threading.Thread(target=capture) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: 0 in captures, "they capture", 60)
    flushes = [lab.headgate("flush", "--destination-port", "9", "--yes") for _ in range(6)]
    over.set()
    for thread in threads:
        thread.join()
    refused = [done.stderr for done in flushes if done.returncode not in (0, 3)]
    assert not refused, refused
    print(f"\n{len(threads)} processes that capture, {captures.count(0)} captures done, {captures.count(5)} refused: {len(flushes)} of "
          f"{len(flushes)} flushes done")


def test_captures_push_out_no_history_of_flushes(lab, serve):
    service = serve("disk_budget: 16MiB\n")
    lab.fill(100)
    kept = []
    for port in range(3):
        done = service.curl(*BY["operator"], *request("FLOW_FLUSH", str(40 + port)))
        identity = json.loads(done[1])["operation_id"]
        service.curl(*BY["operator"], f"/v1/operations/{identity}?wait_ms=30000")
        kept.append(identity)
    lab.fill_many(60_000)
    captures = 12
    for _ in range(captures):
        def begin():
            status, body = service.curl(*BY["viewer"], *request("FLOW_CAPTURE"))
            return status == 202 and json.loads(body)["operation_id"]
        identity = wait_until(begin, "the endpoint is free", 30)
        service.curl(*BY["viewer"], f"/v1/operations/{identity}?wait_ms=30000")
    listed = json.loads(service.curl(*BY["operator"], "/v1/operations?limit=1000")[1])["operations"]
    left = [each["operation_id"] for each in listed]
    captured = sum(each["type"] == "FLOW_CAPTURE" for each in listed)
    assert captured < captures, "the budget was too small for all of them"
    assert set(kept) <= set(left), "what acted is told still"
    print(f"\ndisk_budget of 16 MiB: {captures} captures of 60,000 flows, {captured} kept; {len(kept)} of {len(kept)} flushes kept")
