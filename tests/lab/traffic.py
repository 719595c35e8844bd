# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic under control of the test: an end sends only on demand, and reports what it received.

The test process owns the sockets, which it opens inside the hosts' network namespaces.
"""

import contextlib
import ctypes
import errno
import fcntl
import itertools
import select
import socket
import struct
import subprocess
import sys
import termios
import time

from lab import CLIENT, GATEWAY, SERVER, wait_until

DATA, RESET, PROHIBITED, SILENCE = "data", "reset", "prohibited", "silence"

# Seconds without data that count as silence. Expected data has PATIENCE, so that no test fails on a busy machine.
QUIET = 0.2
PATIENCE = 10

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

# Each port is used once: the kernel may choose one that a policy still remembers, which then catches the new UDP flow.
source_ports = itertools.count(20001)


@contextlib.contextmanager
def inside(lab, host):
    """Sockets that are opened meanwhile belong to that host, also afterwards."""
    with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{lab.name(host)}") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {there.name}")
        try:
            yield
        finally:
            libc.setns(here.fileno(), CLONE_NEWNET)


def open_socket(lab, host, *kind):
    with inside(lab, host):
        opened = socket.socket(*kind)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.settimeout(PATIENCE)
    return opened


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class End:
    """One end of a conversation."""

    def __init__(self, opened):
        self.socket = opened

    def send(self, data=b"data"):
        self.socket.send(data)

    def send_fin(self):
        self.socket.shutdown(socket.SHUT_WR)

    def sees(self, patience=QUIET):
        """The first data or error received, or SILENCE."""
        if not select.select([self.socket], [], [], patience)[0]:
            return SILENCE
        try:
            return DATA if self.socket.recv(65536) else "end"
        except ConnectionResetError:
            return RESET
        except OSError as error:
            # Administratively prohibited: icmp_err_convert (net/ipv4/icmp.c), tab_unreach (net/ipv6/icmp.c).
            if error.errno in (errno.EHOSTUNREACH, errno.EACCES):
                return PROHIBITED
            return errno.errorcode[error.errno]

    def everything_is_acknowledged(self):
        return struct.unpack("i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4)))[0] == 0

    def close(self):
        """Closes without later retransmissions; TCP sends a reset."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21  # include/uapi/linux/tcp.h
TCP_RECV_QUEUE, TCP_SEND_QUEUE, TCP_REPAIR_OFF_NO_WP = 1, 2, -1

FIN, SYN, RST, ACK = 1, 2, 4, 16


def sequence_numbers(connected):
    """The next sequence number to send, and the next one expected."""
    connected.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    try:
        numbers = []
        for queue in (TCP_SEND_QUEUE, TCP_RECV_QUEUE):
            connected.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
            numbers.append(struct.unpack("I", connected.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, 4))[0])
        return numbers
    finally:
        connected.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP)


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def send_segment(lab, host, source, destination, flags, sequence, acknowledged=0, data=b"", ttl=64):
    """Sends one TCP segment in addition to the kernel's; source and destination are IPv4 addresses with ports."""
    header = struct.pack("!HHIIBBHHH", source[1], destination[1], sequence & 0xFFFFFFFF, acknowledged, 5 << 4, flags, 1024, 0, 0)
    pseudo = socket.inet_aton(source[0]) + socket.inet_aton(destination[0]) + struct.pack("!HH", socket.IPPROTO_TCP, 20 + len(data))
    header = header[:16] + struct.pack("!H", checksum(pseudo + header + data)) + header[18:]
    with open_socket(lab, host, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        raw.sendto(header + data, (destination[0], 0))


class Conversation:
    """A client and a server that have exchanged data and are quiet: not even an acknowledgement is in transit."""

    def __init__(self, lab, address, port=8080, protocol=TCP, server_port=8080, source_port=None, client_on=CLIENT):
        family = family_of(address)
        server = open_socket(lab, SERVER, family, protocol)
        server.bind(("", server_port))
        client = open_socket(lab, client_on, family, protocol)
        self.port = source_port or next(source_ports)  # the client's
        client.bind(("", self.port))
        self.client, self.server = End(client), End(server)
        if protocol == TCP:
            server.listen()
            client.connect((address, port))
            self.server = End(server.accept()[0])
            self.server.socket.settimeout(PATIENCE)
            server.close()
        else:
            client.connect((address, port))
            client.send(b"begin")
            server.connect(server.recvfrom(16)[1])
        self.exchange()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.close()

    def end(self, name):
        return {"client": self.client, "server": self.server}[name]

    def exchange(self):
        self.client.send()
        self.see(server=DATA)
        self.server.send()
        self.see(client=DATA)
        self.settle()

    def settle(self):
        if self.client.socket.type == TCP:
            wait_until(self.client.everything_is_acknowledged, "the server acknowledges")
            wait_until(self.server.everything_is_acknowledged, "the client acknowledges")

    def see(self, **expected):
        """Waits for the expected data first, and then briefly for silence."""
        silence_ends = None
        for name in sorted(expected, key=lambda name: expected[name] == SILENCE):
            patience = PATIENCE
            if expected[name] == SILENCE:
                silence_ends = silence_ends or time.monotonic() + QUIET
                patience = max(0, silence_ends - time.monotonic())
            seen = self.end(name).sees(patience)
            assert seen == expected[name], f"the {name} sees {seen}, not {expected[name]}"

    def loses_nothing(self, blocks=100):
        """Whether all blocks sent now arrive, in both directions."""
        try:
            for number in range(blocks):
                for sender, receiver in ((self.client, self.server), (self.server, self.client)):
                    block = f"block {number}".encode() * 40
                    sender.send(block)
                    if receiver.socket.recv(65536) != block:
                        return False
            self.settle()
        except OSError:
            return False
        return True


SEND_FOR_EVER = """
import socket, sys
client = socket.socket(fileno=int(sys.argv[1]))
while True:
    try:
        client.send(b"data")
    except OSError:
        pass
"""


class Flood:
    """Sends continuously from an end, whatever it receives; in its own process, so that the test cannot delay it."""

    def __init__(self, end):
        self.descriptor = end.socket.fileno()

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", SEND_FOR_EVER, str(self.descriptor)], pass_fds=[self.descriptor])

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Ping(End):
    """Echo requests with a unique identifier; the other host replies."""

    def __init__(self, lab, address):
        protocol, self.request = (socket.IPPROTO_ICMPV6, 128) if ":" in address else (socket.IPPROTO_ICMP, 8)
        lab.run(CLIENT, "sysctl", "-qw", "net.ipv4.ping_group_range=0 0")
        super().__init__(open_socket(lab, CLIENT, family_of(address), socket.SOCK_DGRAM, protocol))
        self.socket.connect((address, 0))

    def send(self, data=b"data"):
        super().send(struct.pack("!BBHHH", self.request, 0, 0, 0, 1) + data)


class IcmpMessages(End):
    """Messages with an identifier, of the types for which conntrack creates flows, sent from either side."""

    def __init__(self, lab, host, peer):
        protocol = socket.IPPROTO_ICMPV6 if ":" in peer else socket.IPPROTO_ICMP
        super().__init__(open_socket(lab, host, family_of(peer), socket.SOCK_RAW, protocol))
        self.socket.connect((peer, 0))

    def send(self, kind, identifier, code=0):
        message = struct.pack("!BBHHH", kind, code, 0, identifier, 0) + b"some data to make it long enough"
        if self.socket.family == socket.AF_INET:  # the kernel computes the checksum of ICMPv6
            message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
        self.socket.send(message)


class SctpEnd(End):
    INIT, INIT_ACK, HEARTBEAT, COOKIE_ECHO, COOKIE_ACK = 1, 2, 4, 10, 11
    DATA_BEGINS_AND_ENDS = 3

    def __init__(self, lab, host, peer, port, peer_port, peer_tag):
        super().__init__(open_socket(lab, host, family_of(peer), socket.SOCK_RAW, socket.IPPROTO_SCTP))
        self.socket.connect((peer, 0))
        self.ports, self.peer_tag = (port, peer_port), peer_tag

    def send_chunk(self, kind, body, flags=0, tag=None):
        """Sends a packet of one chunk, without a checksum."""
        header = struct.pack("!HHII", *self.ports, self.peer_tag if tag is None else tag, 0)
        self.socket.send(header + struct.pack("!BBH", kind, flags, 4 + len(body)) + body)

    def send(self, data=b"data"):
        self.send_chunk(0, struct.pack("!IHHI", 1, 0, 0, 0) + data, flags=self.DATA_BEGINS_AND_ENDS)

    def send_heartbeat(self):
        self.send_chunk(self.HEARTBEAT, struct.pack("!HH", 1, 8) + b"path")

    def begin(self, tag):
        self.send_chunk(self.INIT, struct.pack("!IIHHI", tag, 65536, 1, 1, 1), tag=0)


class SctpAssociation(Conversation):
    """Simulated packet by packet, so that the hosts' kernels need no SCTP."""

    CLIENT_TAG, SERVER_TAG = 1001, 2002

    def __init__(self, lab, client_address, server_address, source_port=5001, port=5000):
        lab.run(GATEWAY, "sysctl", "-qw", "net.netfilter.nf_conntrack_checksum=0")
        self.port = source_port
        self.client = SctpEnd(lab, CLIENT, server_address, source_port, port, self.SERVER_TAG)
        self.server = SctpEnd(lab, SERVER, client_address, port, source_port, self.CLIENT_TAG)
        self.client.begin(self.CLIENT_TAG)
        self.see(server=DATA)
        self.server.send_chunk(SctpEnd.INIT_ACK, struct.pack("!IIHHI", self.SERVER_TAG, 65536, 1, 1, 1))
        self.see(client=DATA)
        self.client.send_chunk(SctpEnd.COOKIE_ECHO, b"cook")
        self.see(server=DATA)
        self.server.send_chunk(SctpEnd.COOKIE_ACK, b"")
        self.see(client=DATA)
        self.exchange()
