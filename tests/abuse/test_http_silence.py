# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that send or read nothing, from more addresses than there are shares, do not block other clients."""

import contextlib
import ssl

import pytest

import sockets
from figures import Figures, for_a_while, threads
from lab import CLIENT, GATEWAY, wait_until
from service import CONFIGURATION, OUTSIDE, PLAIN, TLS, TOKENS, Service
from sockets import in_namespace, is_closed

ADDRESSES, EACH = 6, 33
THREADS = 64  # http.connections, as configured
OUTSIDE6 = "2001:db8:1::1"

CONFIGURED = CONFIGURATION.replace("  connections: 8\n", f"  connections: {THREADS}\n").replace(
    "    - {{address: {outside}, port: 8445",
    "    - {{address: '2001:db8:1::1', port: 8444, tls: {{certificate: {folder}/server.crt, key: {folder}/server.key}}}}\n"
    "    - {{address: {outside}, port: 8445")
BEARER = f"Authorization: Bearer {TOKENS['viewer']}\r\n"


@pytest.fixture
def service(lab):
    for number in range(ADDRESSES):
        lab.run(CLIENT, "ip", "address", "add", f"10.0.1.{100 + number}/24", "dev", "eth0")
    served = Service(lab, CONFIGURED).start()
    assert served.process.poll() is None, served.said()
    yield served
    assert served.stop() == 0


def in_tls(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def silent(connection):
    return connection


def half_a_handshake(connection):
    connection.sendall(bytes.fromhex("1603010200010001fc0303") + bytes(100))
    return connection


def silent_in_tls(connection):
    return in_tls(connection)


def half_a_header(connection):
    connection = in_tls(connection)
    connection.sendall(b"GET /v1/operations HTTP/1.1\r\nHost: a\r\nX: ")
    return connection


def half_a_body(connection):
    connection = in_tls(connection)
    connection.sendall(b"POST /v1/operations HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
    return connection


def half_a_chunk(connection):
    connection = in_tls(connection)
    connection.sendall(b"POST /v1/operations HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n{")
    return connection


def refused_and_still_there(connection):
    connection = in_tls(connection)
    connection.sendall(b"NONSENSE\r\n\r\n")
    return connection


def silent_after_an_answer(connection):
    connection = in_tls(connection)
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.recv(1000)
    return connection


def deaf(connection):
    """Repeatedly requests a public resource, and reads nothing."""
    connection = in_tls(connection)
    connection.settimeout(0.05)
    with contextlib.suppress(OSError):
        connection.sendall(b"GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
    return connection


def is_served(service):
    """Whether a client at another address is served over TLS within five seconds."""
    return service.curl("-m", "5", "--cacert", str(service.lab.folder / "ca.crt"), "-H", BEARER.strip(), "/v1/operations", host=CLIENT,
                        url=f"https://{OUTSIDE}:{TLS}")[0] == 200


def open_one(service, address, behave):
    def opened():
        with contextlib.suppress(OSError):
            return behave(sockets.connect(OUTSIDE, TLS, source=address, receive=4096))
        return None
    return in_namespace(service.lab, CLIENT, opened)


@pytest.mark.parametrize("behave", [silent, half_a_handshake, silent_in_tls, half_a_header, half_a_body, half_a_chunk,
                                    refused_and_still_there, silent_after_an_answer, deaf], ids=lambda each: each.__name__)
def test_six_addresses_do_not_close_the_door_to_a_seventh(service, behave):
    assert is_served(service)
    figures = Figures(behave.__name__, service.pid())
    held = []
    for number in range(EACH):
        for address in range(ADDRESSES):
            held.append(open_one(service, f"10.0.1.{100 + address}", behave))
            figures.count("connections")
    for _ in for_a_while():
        assert is_served(service), "the seventh address"
        figures.count("requests of others")
    figures.counts["held"] = sum(connection is not None and not is_closed(connection) for connection in held)
    figures.tell()
    assert service.lab.headgate("operations", "list", netns=False).returncode == 0
    assert figures.grown() < 24 * 1024
    assert threads(service.pid()) < THREADS // 2, "who has no request keeps no thread"
    for connection in held:
        if connection is not None:
            connection.close()


def test_a_network_of_ipv6_has_one_share(service):
    lab = service.lab
    for number in range(0x100, 0x100 + 2 * THREADS):
        lab.run(CLIENT, "ip", "address", "add", f"2001:db8:1::{number:x}/64", "dev", "eth0", "nodad")
    figures = Figures("addresses of one /64", service.pid())
    held = []
    for number in range(0x100, 0x100 + 2 * THREADS):
        held.append(in_namespace(lab, CLIENT, lambda: sockets.connect(OUTSIDE6, TLS, source=f"2001:db8:1::{number:x}")))
        figures.count("addresses")
    there = wait_until(lambda: (lambda left: left <= THREADS // 2 and left)(sum(not is_closed(each) for each in held)),
                       "what is beyond the share is closed", 5)
    figures.counts["held"] = there
    figures.tell()
    assert is_served(service)
    for connection in held:
        connection.close()


def test_who_is_local_and_silent_makes_room_as_well(service):
    lab = service.lab
    figures = Figures("silent on loopback", service.pid())
    held = []
    for _ in range(4 * THREADS):
        held.append(in_namespace(lab, GATEWAY, lambda: sockets.connect("127.0.0.1", PLAIN)))
        figures.count("connections")
    for _ in for_a_while():
        assert service.curl("-m", "5", "-H", BEARER.strip(), "/v1/operations")[0] == 200
        assert is_served(service)
        figures.count("requests of others", 2)
    figures.tell()
    for connection in held:
        connection.close()
