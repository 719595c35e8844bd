# SPDX-License-Identifier: GPL-2.0-or-later
"""Unauthenticated requests that might take more than linear time to parse, and malformed requests."""

import contextlib
import random
import socket

import pytest

import sockets
from figures import SECONDS, Figures, cpu, for_a_while
from lab import GATEWAY, Lab
from service import CONFIGURATION, PLAIN, Service
from sockets import hear_all, in_namespace

SIZE = 48 * 1024  # of a request head; larger ones are refused
HOST = "Host: a\r\nConnection: close\r\n"
SIGNED = ("Authorization: AWS4-HMAC-SHA256 Credential=HGNOBODY/20261121/eu-central-1/network-firewall/aws4_request, "
          "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64 + "\r\nX-Amz-Date: 20261121T080000Z\r\n")


def fields(size):
    return f"GET /v1/operations HTTP/1.1\r\n{HOST}" + "a:\r\n" * (size // 4) + "\r\n"


def named_fields(size):
    return f"GET /v1/operations HTTP/1.1\r\n{HOST}" + "".join(f"x-{i:06}:\r\n" for i in range(size // 11)) + "\r\n"


def long_fields(size):
    each = size // 90
    return f"GET /v1/operations HTTP/1.1\r\n{HOST}" + "".join(f"{'x' * (each - 8)}{i}: y\r\n" for i in range(90)) + "\r\n"


def query(size):
    return f"GET /v1/operations?{'&'.join(f'a{i}=%41' for i in range(size // 10))} HTTP/1.1\r\n{HOST}{SIGNED}\r\n"


def path(size):
    return f"GET {'/%41' * (size // 4)} HTTP/1.1\r\n{HOST}{SIGNED}\r\n"


def authorization(size):
    return f"GET /v1/operations HTTP/1.1\r\n{HOST}Authorization: AWS4-HMAC-SHA256 {'Credential=a,' * (size // 13)}\r\n\r\n"


def signed_headers(size):
    names = ";".join(f"a{i:05}" for i in range(size // 7))
    return f"GET / HTTP/1.1\r\n{HOST}Authorization: AWS4-HMAC-SHA256 SignedHeaders={names}, Credential=a, Signature=b\r\n\r\n"


def cookies(size):
    return f"GET / HTTP/1.1\r\n{HOST}Cookie: {'a=b; ' * (size // 5)}\r\n\r\n"


def accept(size):
    return f"GET / HTTP/1.1\r\n{HOST}Accept-Encoding: {'a;q=0.1,' * (size // 8)}\r\nAccept: {'*/*,' * 10}\r\n\r\n"


def chunks(size):
    return f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n" + "1\r\n{\r\n" * (size // 6) + "0\r\n\r\n"


def trailers(size):
    return f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n" + "a:\r\n" * (size // 4) + "\r\n"


def deep_json(size):
    body = "[" * (size // 2) + "]" * (size // 2)
    return f"POST / HTTP/1.1\r\n{HOST}{SIGNED}X-Amz-Target: NetworkFirewall_20201112.X\r\nContent-Length: {len(body)}\r\n\r\n{body}"


def blank_lines(size):
    return "\r\n" * (size // 2) + f"GET / HTTP/1.1\r\n{HOST}\r\n"


KINDS = [fields, named_fields, long_fields, query, path, authorization, signed_headers, cookies, accept, chunks, trailers, deep_json,
         blank_lines]


@pytest.fixture(scope="module")
def service(request, root):
    with Lab(request.node.nodeid) as lab:
        served = Service(lab, CONFIGURATION.replace("  connections: 8\n", "  requests_per_second: 65535\n")).start()
        assert served.process.poll() is None, served.said()
        yield served
        assert served.stop() == 0


def ask(service, text, ends=False):
    """Returns the response; with `ends`, shuts down the sending side after the request."""
    def whole():
        with sockets.connect("127.0.0.1", PLAIN) as connection:
            with contextlib.suppress(OSError):  # the server may refuse it before it is complete
                connection.sendall(text)
                if ends:
                    connection.shutdown(socket.SHUT_WR)
            return hear_all(connection)
    return in_namespace(service.lab, GATEWAY, whole)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_header_takes_time_in_proportion_to_its_size(service, kind):
    """The same number of bytes costs hardly more in one request than in eight."""
    figures = Figures(kind.__name__, service.pid())
    large, small = kind(SIZE).encode(), kind(SIZE // 8).encode()
    costs = {large: [], small: []}
    for _ in for_a_while(SECONDS / len(KINDS)):
        for text, times in ((large, 1), (small, 8)):
            before = cpu(service.pid())
            for _ in range(times):
                heard = ask(service, text)
                assert heard == b"" or heard.startswith(b"HTTP/1.1 "), heard[:100]
                figures.count("requests")
            costs[text].append(cpu(service.pid()) - before)
    figures.counts["ms for 48 KiB"] = round(1000 * min(costs[large]), 2)
    figures.counts["ms in eight"] = round(1000 * min(costs[small]), 2)
    figures.tell()
    # In quadratic time, eight small requests would cost an eighth of the large one. The fixed cost of a request adds to
    # the small ones only.
    assert min(costs[large]) < 2 * min(costs[small]) + 0.005
    assert figures.grown() < 8 * 1024


def test_what_is_no_request_has_one_answer_and_leaves_nothing_behind(service):
    """Requests with bytes that are replaced, removed, duplicated or truncated."""
    figures = Figures("what is no request", service.pid())
    chance = random.Random(16)
    whole = [kind(400).encode() for kind in KINDS] + [b"GET http://a/v1/operations HTTP/1.1\r\nHost: a\r\n\r\n"]
    for _ in for_a_while():
        text = bytearray(chance.choice(whole))
        for _ in range(chance.randrange(4)):
            place = chance.randrange(len(text))
            text[place:place + chance.randrange(3)] = chance.choice([b"", b"\0", b"\r", b"\n", b":", b" ", b"\xff", text[place:place + 9]])
        heard = ask(service, bytes(text[:chance.randrange(1, len(text) + 1)]), ends=True)
        assert heard == b"" or heard.startswith(b"HTTP/1.1 "), heard[:100]
        figures.count("inputs")
        figures.count("refused", heard.startswith(b"HTTP/1.1 4"))
    figures.tell()
    assert service.curl("/healthz")[0] == 200
    assert figures.grown() < 16 * 1024
