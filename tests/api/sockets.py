# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets in the lab's hosts, on which a test sends arbitrary bytes."""

import contextlib
import ctypes
import socket
import ssl
import threading


def in_namespace(lab, host, work):
    """Runs the work on a thread in the host's network namespace; sockets stay in the namespace of their creation."""
    result = []

    def enter():
        with open(f"/run/netns/{lab.name(host)}") as namespace:
            libc.setns(namespace.fileno(), 0x40000000)  # CLONE_NEWNET
        result.append(work())

    libc = ctypes.CDLL(None, use_errno=True)
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return result[0]


def hear_all(connection):
    heard = b""
    with contextlib.suppress(ConnectionResetError, TimeoutError):
        while piece := connection.recv(65536):
            heard += piece
    return heard


def is_closed(connection):
    """Whether the peer has closed the connection; discards received data."""
    connection.settimeout(0)
    try:
        while connection.recv(65536):
            pass
        return True
    except (BlockingIOError, TimeoutError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        with contextlib.suppress(OSError):
            connection.settimeout(40)


def connect(address, port, source=None, receive=None):
    """`receive`: bytes that the kernel buffers while the test does not read."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(40)
    if receive:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    if source:
        connection.bind((source, 0))
    connection.connect((address, port))
    return connection
