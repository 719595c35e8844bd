# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input through any interface is refused with one clear line, changes nothing, and leaves the agent unaffected."""

import concurrent.futures
import json
import random
import socket

import pytest

from figures import SECONDS, Figures, for_a_while
from lab import GATEWAY
from test_agent import headgate, headgate_json, start_agent  # noqa: F401

WHOLE = {"type": "FLOW_FLUSH", "endpoint": {"firewall": "edge", "availability_zone": "a"},
         "filters": [{"source": "10.0.0.0/8", "destination_port": "80:90", "protocols": ["tcp"]}], "minimum_age_seconds": 3,
         "dry_run": True, "stream_exception_policy": "none", "maximum_flows": 3}
VALUES = [None, True, -1, 0, 2**64, 1e400, "", "x" * 5000, "\0", "\x1b[2J", "10.0.0.0/33", "::/129", "٣", [], {}, [[]], [{}], {"": ""}, "all", "65536", "1:0"]
TEXTS = ["", "{", "[]", "null", "{}", '{"type":}', '{"type":"FLOW_FLUSH"} {}', '{"a":1,"a":2}', "[" * 500, '"\ud800"', "\ufeff{}", "nul", "1e999"]
WORDS = ["", "-", "--", "--all", "--yes", "--source", "--filter", "--netns", "--state", "--zone", "--min-age", "--output", "--config",
         "10.0.0.0/33", "::ffff:1.2.3.4/200", "65536", "-1", "1:0", "tcp", "\x1b[31m", "/dev/full", "source=", "source=1,source=2", "a" * 5000,
         "capture", "operations", "list", "show", "results", "policy", "apply", "../../etc/passwd", "--socket", "٣", "0x10", "1e9"]


def broken(chance, value):
    """A copy of the value with one part changed, so that it is probably invalid."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        way = chance.randrange(4)
        if way == 0:
            return {name: each for name, each in value.items() if name != key}
        if way == 1:
            return value | {chance.choice(["", "Filters", "x", key + " "]): chance.choice(VALUES)}
        return value | {key: broken(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.7:
        return value * chance.choice([0, 1, 30]) + [broken(chance, value[0])]
    return chance.choice(VALUES)


def body(chance):
    way = chance.randrange(4)
    if way == 0:
        return chance.choice(TEXTS).encode("utf-8", "surrogatepass")
    text = json.dumps(broken(chance, WHOLE)).replace("Infinity", "1e999").encode()
    if way == 1:
        cut = chance.randrange(len(text) + 1)
        return text[:cut] + bytes(chance.randrange(256) for _ in range(chance.randrange(4))) + text[cut:]
    return text


def target(chance):
    path = chance.choice(["/v1/operations", "/v1/operations/x", "/v1/operations/%00/results", "/v1/flow-table", "/v1/flow-log",
                          "/v1/stream-exception-policy", "/v1/validate", "/v1/nothing", "//", "/%", "/../", "/v1/operations/" + "a" * 300])
    names = ["limit", "firewall", "availability_zone", "netns", "type", "first", "reason", "cursor", "", "x"]
    query = "&".join(f"{chance.choice(names)}={chance.choice(['', '-1', '1', 'a', '%00', '%zz', '9' * 30, 'edge', '%1b'])}"
                     for _ in range(chance.randrange(3)))
    return path + (f"?{query}" if query else "")


def test_requests_that_are_wrong_change_nothing_and_take_nothing(lab, start_agent):  # noqa: F811
    agent = start_agent()
    lab.fill(20)
    chance = random.Random(20261128)
    figures = Figures("bad requests", agent.process.pid)
    for _ in for_a_while():
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(30)
                connection.connect(str(lab.folder / "headgate.sock"))
                data = body(chance)
                head = f"{chance.choice(['GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'X'])} {target(chance)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 "), answer[:100]
            figures.count(f"{answer[9:10].decode()}xx")
            assert not answer.startswith(b"HTTP/1.1 500"), answer
    figures.tell()
    assert agent.process.poll() is None
    assert len(lab.conntrack("-p", "udp")) == 20, "nothing was flushed"
    assert figures.grown() < 8 * 1024
    assert agent.stop() == 0


@pytest.mark.parametrize("command", ["capture", "flush", "operations", "policy", "table", "log"])
def test_words_that_are_wrong_are_one_line(lab, start_agent, command):  # noqa: F811
    agent = start_agent()
    lab.fill(20)
    chance = random.Random(command)
    figures = Figures(f"bad words of {command}", agent.process.pid)

    def ask(words):
        return words, headgate(lab, command, *words)

    with concurrent.futures.ThreadPoolExecutor(2) as clients:
        for _ in for_a_while(SECONDS / 3):
            tries = [[chance.choice(WORDS) for _ in range(chance.randrange(1, 5))] for _ in range(20)]
            for words, done in clients.map(ask, [each for each in tries if "--yes" not in each or "--all" not in each]):
                figures.count(f"exit {done.returncode}")
                assert done.returncode in (0, 1, 2, 3, 5), (words, done.returncode, done.stderr)
                assert "\x1b" not in done.stdout + done.stderr, words
                if done.returncode not in (0, 3):
                    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("headgate: "), (words, done.stderr)
    figures.tell()
    assert len(lab.conntrack("-p", "udp")) == 20, "nothing was flushed"
    assert headgate_json(lab, "operations", "list") is not None and agent.stop() == 0
