# SPDX-License-Identifier: GPL-2.0-or-later
"""What a command costs through the agent, compared with the same command without one; and the agent at rest."""

import os
import pathlib
import re
import subprocess
import time


def bench_agent(headgate, namespace, folder, write_configuration, table, compare, repeat, report):
    endpoint = f"firewalls: [{{name: bench, endpoints: [{{availability_zone: a, netns: {namespace}}}]}}]\n"
    through = [headgate[0], "--config", write_configuration(folder, "agent", endpoint)]
    agent = subprocess.Popen([*through, "agent"], stderr=subprocess.DEVNULL)
    try:
        while not os.path.exists(f"{folder}/agent.sock"):
            time.sleep(0.1)
        compare_with_direct(headgate, through, table, compare, repeat, report)
        rest(through, agent, report)
    finally:
        agent.terminate()
        agent.wait()


def compare_with_direct(headgate, through, table, compare, repeat, report):
    def capture(program, form):
        return lambda server: [*program, "capture", "--all", "--output", form]

    def flush(program):
        return lambda server: [*program, "flush", "--destination", f"10.2.{server}.0/24", "--yes", "--output", "ndjson"]

    works = [(f"capture of all, {form}", capture(through, form), capture(headgate, form), lambda server: None)
             for form in ("ndjson", "json", "table")]
    works.append(("flush of 10 %", flush(through), flush(headgate), table.refill))
    for work, ours, theirs, after in works:
        left, right = compare(ours, theirs, repeat, after)
        ratio = left.median / right.median
        report.add(f"{work}, through the agent", "the same without an agent", f"{ratio:.2f}x", "<= 1.2x", ratio <= 1.2,
                   ours=f"{left.median:.3f}s", theirs=f"{right.median:.3f}s", MiB=f"{left.peak:.1f}")


def rest(through, agent, report):
    """The agent after a capture and a flush, without requests."""
    for words in (["capture", "--source", "10.1.7.0/24"], ["flush", "--source", "10.1.250.0/24", "--yes"]):
        subprocess.run([*through, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(7)  # by then the agent has released its memory
    tasks = list(pathlib.Path(f"/proc/{agent.pid}/task").iterdir())

    def switches():
        return sum(int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text())[1]) for task in tasks)

    before = switches()
    time.sleep(20)
    woken = switches() - before
    status = pathlib.Path(f"/proc/{agent.pid}/status").read_text()
    peak, resident = (int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024 for name in ("VmHWM", "VmRSS"))
    report.add("agent at work, resident memory", "-", f"{peak:.1f} MiB", "<= 48", peak <= 48)
    report.add("agent at rest, resident memory", "-", f"{resident:.1f} MiB", "<= 16", resident <= 16)
    report.add("agent at rest, wake-ups in 20 s", "-", f"{woken}", "<= 2", woken <= 2)
