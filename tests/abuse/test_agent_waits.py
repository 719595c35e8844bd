# SPDX-License-Identifier: GPL-2.0-or-later
"""Other processes hold resources that the agent needs, indefinitely: its main loop never waits for them."""

import concurrent.futures
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from lab import GATEWAY, HEADGATE, wait_until
from test_agent import EDGE, headgate, start_agent  # noqa: F401

HEARTBEATS = 30  # 3 s
LONGEST_PAUSE = 5  # the interval is 0.1 s; a main loop that waits pauses for 10 s


class Manager:
    """The service manager's socket."""

    def __init__(self, lab):
        self.path = lab.folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(LONGEST_PAUSE)
        self.environment = os.environ | {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": "200000"}

    def expect(self, what):
        while what not in self.socket.recv(4096):
            pass

    def expect_heartbeats(self, count=HEARTBEATS):
        """Discards earlier heartbeats first."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(4096)
        self.socket.settimeout(LONGEST_PAUSE)
        longest, before = 0.0, time.monotonic()
        for _ in range(count):
            self.expect(b"WATCHDOG=1")
            now = time.monotonic()
            longest, before = max(longest, now - before), now
        print(f"\n{count} heartbeats, the longest pause {longest:.2f} s")


@pytest.fixture
def manager(lab):
    made = Manager(lab)
    yield made
    made.socket.close()


def policy_record(lab):
    """The file that is locked during a change of the policy in the gateway's namespace."""
    code = "import socket; print(socket.socket().getsockopt(socket.SOL_SOCKET, 71, 8).hex())"  # SO_NETNS_COOKIE
    cookie = int.from_bytes(bytes.fromhex(lab.run(GATEWAY, "python3", "-c", code).stdout.strip()), "little")
    return f"/run/headgate/policy-{cookie}"


@contextlib.contextmanager
def stopped_holder(path):
    """A process that has locked the file and was then stopped (SIGSTOP)."""
    holder = subprocess.Popen(["flock", path, "sh", "-c", "echo held; exec sleep 600"], stdout=subprocess.PIPE, text=True,
                              start_new_session=True)
    assert holder.stdout.readline() == "held\n"
    os.killpg(holder.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()


def is_in_force(lab):
    return lab.run(GATEWAY, "nft", "list", "table", "inet", "headgate", check=False).returncode == 0


def test_whoever_is_stopped_with_the_policys_lock_does_not_silence_the_agent(lab, manager, start_agent):  # noqa: F811
    agent = start_agent("stream_exception_policy: reject\n", env=manager.environment)
    assert is_in_force(lab)
    with stopped_holder(policy_record(lab)):
        lab.run(GATEWAY, "nft", "flush", "ruleset")
        manager.expect_heartbeats()
        assert headgate(lab, "operations", "list").returncode == 0, "others are served"
        agent.signal(signal.SIGHUP)
        manager.expect(b"RELOADING=1")
        manager.expect(b"READY=1")
        manager.expect_heartbeats()
        assert not is_in_force(lab)
    wait_until(lambda: is_in_force(lab), "the policy is in force again")
    assert agent.stop() == 0


def test_an_agent_comes_to_its_end_beside_a_stopped_holder(lab, manager, start_agent):  # noqa: F811
    agent = start_agent("stream_exception_policy: reject\n", env=manager.environment)
    with stopped_holder(policy_record(lab)):
        lab.run(GATEWAY, "nft", "flush", "ruleset")
        manager.expect_heartbeats(3)
        begun = time.monotonic()
        assert agent.stop() == 0
        assert time.monotonic() - begun < 8, "the lock's patience is ten seconds"


def test_a_service_manager_that_does_not_read_is_not_waited_for(lab, manager, start_agent):  # noqa: F811
    agent = start_agent(env=manager.environment)
    time.sleep(3)  # the socket's queue holds about ten heartbeats (net.unix.max_dgram_qlen)
    agent.signal(signal.SIGHUP)
    wait_until(lambda: "reloaded" in agent.said(), "it is reloaded")
    begun = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - begun < 8


def test_a_flush_that_was_stopped_while_it_waits_does_not_keep_others_out(lab):
    lab.fill(3)
    assert lab.headgate("capture", "--all").returncode == 0
    [lock] = (lab.folder / "state").glob("endpoint-*.lock")
    holder = subprocess.Popen(["flock", str(lock), "sh", "-c", f"printf '0 FLOW_CAPTURE' >{lock}; echo held; exec sleep 600"],
                              stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert holder.stdout.readline() == "held\n"
    waiting = subprocess.Popen(lab.headgate_words("flush", "--all", "--yes"), stderr=subprocess.PIPE)
    try:
        wait_until(lambda: "comes first" in lab.headgate("capture", "--all").stderr, "the flush is next")
        waiting.send_signal(signal.SIGSTOP)
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()
        assert lab.headgate("capture", "--all").returncode == 0
        assert lab.headgate_json("flush", "--all", "--yes")["counts"]["flushed"] == 3
    finally:
        waiting.kill()
        waiting.wait()


def test_whoever_does_not_read_the_log_does_not_silence_the_agent(lab, manager):
    """The reader of stderr behaves like a stopped journald."""
    lab.configure(EDGE.format(gateway=lab.name(GATEWAY)))
    agent = subprocess.Popen([HEADGATE, "agent", "--config", str(lab.configuration)], stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, env=manager.environment)
    try:
        manager.expect(b"READY=1")
        requests = 1500  # one line each; a pipe holds 64 KiB
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(lab.folder / "headgate.sock"))
            connection.settimeout(60)
            asking = threading.Thread(target=connection.sendall, args=(b"GET /v1/session HTTP/1.1\r\nHost: a\r\n\r\n" * requests,))
            asking.start()
            heard = b""
            while heard.count(b"HTTP/1.1 200") < requests:
                heard += connection.recv(65536)
            asking.join()
        manager.expect_heartbeats()
        with concurrent.futures.ThreadPoolExecutor() as reader:
            text = reader.submit(agent.stderr.read)
            assert headgate(lab, "operations", "list").returncode == 0
            agent.terminate()
            assert agent.wait(timeout=30) == 0
            assert b"lines of this log were lost" in text.result()
    finally:
        agent.kill()
