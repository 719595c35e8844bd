# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures and prints the resources of the agent that an attack consumes."""

import os
import pathlib
import time

SECONDS = float(os.environ.get("HEADGATE_ABUSE_SECONDS", "3"))  # duration of each attack


def for_a_while(seconds=SECONDS):
    """Counts rounds until the time is over; at least one."""
    end = time.monotonic() + seconds
    number = 0
    while number == 0 or time.monotonic() < end:
        yield number
        number += 1


def memory(pid):
    """Resident memory in KiB."""
    [line] = [line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def cpu(pid):
    """CPU seconds of the process's current threads (proc(5), schedstat)."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass  # the thread has just ended
    return total / 1e9


def threads(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/task").iterdir()))


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


class Figures:
    """The figures of one attack, printed at its end."""

    def __init__(self, name, pid):
        self.name, self.pid, self.counts = name, pid, {}
        self.memory, self.cpu, self.begun = memory(pid), cpu(pid), time.monotonic()

    def count(self, what, number=1):
        self.counts[what] = self.counts.get(what, 0) + number

    def grown(self):
        """Growth of the agent's resident memory since the start, in KiB."""
        return memory(self.pid) - self.memory

    def spent(self):
        return cpu(self.pid) - self.cpu

    def tell(self):
        counts = ", ".join(f"{what} {number:,}" for what, number in self.counts.items())
        print(f"\n{self.name}: {counts}; memory {self.memory / 1024:.1f} -> {memory(self.pid) / 1024:.1f} MiB, "
              f"CPU {self.spent():.2f} s in {time.monotonic() - self.begun:.1f} s, threads {threads(self.pid)}")
