# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent that cannot create threads or allocate memory reports it, keeps running, and shuts down in order."""

import itertools
import os
import pathlib
import subprocess
import time

import pytest

from lab import GATEWAY, HEADGATE, wait_until

MIB = 1 << 20
USERS = itertools.count(2_000_000_000 + os.getpid() % 100_000 * 100)  # one per agent: RLIMIT_NPROC is per user
PROCESSES = 500  # below every system's limit
LEVELS = [0, 1, 4, 16, 48]  # MiB that the agent may allocate in addition


class LimitedAgent:
    """An agent with its own user and CAP_NET_ADMIN only, in the gateway's namespace, as on a gateway."""

    def __init__(self, lab):
        self.lab, self.user = lab, next(USERS)
        self.folder = lab.folder / f"limited-{self.user}"
        self.folder.mkdir()
        for each in (self.folder, *self.folder.parents[:-2]):
            each.chmod(each.stat().st_mode | 0o055)
        os.chown(self.folder, self.user, self.user)
        self.socket, self.log = self.folder / "headgate.sock", self.folder / "log"
        (self.folder / "headgate.yaml").write_text(
            f"state_dir: {self.folder}/state\naudit_log: {self.folder}/audit.log\nhttp: {{socket: {self.socket}}}\n"
            f"flow_log: {{reasons: [all], sinks: [{{file: {self.folder}/flow.json}}]}}\n")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", lab.name(GATEWAY), "setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups",
                 "--inh-caps=+net_admin", "--ambient-caps=+net_admin", "--bounding-set=-all,+net_admin",
                 HEADGATE, "agent", "--config", str(self.folder / "headgate.yaml")], stderr=log, stdin=subprocess.DEVNULL)
        wait_until(lambda: "serves" in self.said() or self.process.poll() is not None, "the agent starts")
        assert self.process.poll() is None, self.said()

    def said(self):
        return self.log.read_text()

    def ask(self, *words):
        return subprocess.run([HEADGATE, *words, "--config", str(self.folder / "headgate.yaml")], capture_output=True, text=True,
                              timeout=120, env=os.environ | {"HEADGATE_SOCKET": str(self.socket)})

    def limit(self, **limits):
        """Sets limits as the agent's own user, which needs no capability; None resets a limit."""
        words = [f"--{name}={'unlimited' if number is None else number}:" for name, number in limits.items()]
        subprocess.run(["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "prlimit",
                        f"--pid={self.process.pid}", *words], check=True)

    def size(self):
        [line] = [each for each in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines() if "VmSize" in each]
        return int(line.split()[1]) * 1024

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


@pytest.fixture
def agent(lab):
    limited = LimitedAgent(lab)
    yield limited
    if limited.process.poll() is None:
        limited.process.kill()
        limited.process.wait()


REQUESTS = [["capture", "--all"], ["flush", "--all", "--yes"], ["operations", "list"], ["policy", "status"], ["table"],
            ["capture", "--destination-port", "80", "--json"]]


def ask_for_everything(agent):
    """Expects that the agent survives all requests, whatever their result; returns the exit statuses."""
    codes = []
    for words in REQUESTS:
        done = agent.ask(*words)
        codes.append(done.returncode)
        assert agent.process.poll() is None, (words, done.stderr, agent.said()[-2000:])
    return codes


def test_an_agent_without_threads_reports_it_goes_on_and_ends(lab, agent):
    lab.fill(200)
    agent.limit(nproc=1)
    done = agent.ask("capture", "--all")
    assert done.returncode in (1, 5) and agent.process.poll() is None, (done.stderr, agent.said())
    codes = ask_for_everything(agent)
    agent.limit(nproc=PROCESSES)
    assert agent.ask("capture", "--all", "--json").returncode == 0, agent.said()
    agent.limit(nproc=1)
    begun = time.monotonic()
    assert agent.stop() == 0, "SIGTERM takes no thread"
    print(f"\nwithout threads: {len(codes)} requests, {sum(code != 0 for code in codes)} refused or failed, end in "
          f"{time.monotonic() - begun:.1f} s")


@pytest.mark.parametrize("level", LEVELS)
def test_an_agent_without_memory_reports_it_goes_on_and_ends(lab, agent, level):
    lab.fill(2000)
    before = agent.size()
    agent.limit(**{"as": before + level * MIB})
    codes = ask_for_everything(agent)
    agent.process.send_signal(1)  # SIGHUP: reloads the configuration
    codes += ask_for_everything(agent)
    agent.limit(**{"as": None})
    assert agent.ask("capture", "--all", "--json").returncode in (0, 3), agent.said()
    assert agent.ask("operations", "list").returncode == 0
    agent.limit(**{"as": agent.size()})
    assert agent.stop() == 0, agent.said()
    print(f"\n{level} MiB beside {before / MIB:.0f} MiB: {len(codes)} requests, {sum(code not in (0, 3) for code in codes)} failed")
