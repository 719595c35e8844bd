# SPDX-License-Identifier: GPL-2.0-or-later
"""The rate of ended flows that a flow log sustains, compared with conntrack(8) and ulogd2: another program deletes
flows at a given rate, or as fast as the kernel can. Records that are missing in the file at the end are lost."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import time

LARGE = 64 << 20  # bytes of a socket's buffer, as headgate sets it; the kernel doubles it
SECONDS = 4  # for which a rate must be sustained, if there are enough flows

ULOGD = """[global]
logfile="{folder}/ulogd.log"
plugin="{plugins}/ulogd_inpflow_NFCT.so"
plugin="{plugins}/ulogd_filter_IP2STR.so"
plugin="{plugins}/ulogd_output_{output}.so"
stack=ct1:NFCT,ip2str1:IP2STR,out1:{output}
[ct1]
event_mask=4
hash_enable=0
{buffer}
[out1]
file="{file}"
"""


@contextlib.contextmanager
def usual_room(room):
    """Sets the default receive buffer of sockets that are created meanwhile."""
    file = pathlib.Path("/proc/sys/net/core/rmem_default")
    before = file.read_text()
    if room:
        file.write_text(str(room))
    try:
        yield
    finally:
        file.write_text(before)


class Logger:
    """A program that writes a line for each ended flow while it runs."""

    def __init__(self, name, file, words, stdout=False, room=None, ready=lambda: True):
        self.name, self.file, self.words, self.stdout, self.room, self.ready = name, file, words, stdout, room, ready

    def __enter__(self):
        pathlib.Path(self.file).unlink(missing_ok=True)
        with open(self.file if self.stdout else os.devnull, "w") as output, usual_room(self.room):
            self.process = subprocess.Popen(self.words, stdout=output, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 10
            while not self.ready() and time.monotonic() < deadline:
                time.sleep(0.1)
            time.sleep(0.5)
        self.started_with = self.cpu()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def cpu(self):
        """CPU seconds used so far (proc(5), /proc/PID/stat: utime, stime)."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def size(self):
        """0 while the file does not exist: it may be created with the first record."""
        return os.stat(self.file).st_size if os.path.exists(self.file) else 0

    def lines(self):
        if self.size() == 0:
            return 0
        with open(self.file, "rb") as file:
            return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))

    def settle(self):
        """Waits until the program is idle."""
        before = None
        while before != (before := (self.cpu(), self.size())):
            time.sleep(0.5)


class Storm:
    def __init__(self, table, helpers):
        self.table, self.helpers = table, helpers

    def run(self, logger, count, rate):
        """Returns the lost records, the CPU seconds of the logger, and the rate that was reached."""
        self.table.run(f"{self.helpers}/bench_fill_table", "0", str(count))
        with logger:
            reached = int(self.table.run(f"{self.helpers}/bench_end_events", str(count), str(rate)).stdout)
            logger.settle()
            used = logger.cpu() - logger.started_with
        return count - logger.lines(), used, reached


def conntrack(inside, folder, name, room=None):
    """conntrack 1.4.7 has an option for the buffer size, but applies it to a socket that does not receive events."""
    return Logger(name, f"{folder}/conntrack", [*inside, "conntrack", "-E", "-e", "DESTROY", "-o", "extended"], stdout=True, room=room)


def ulogd(inside, folder, name, output, buffer=""):
    configuration = f"{folder}/ulogd.conf.{len(name)}.{output}"
    file = f"{folder}/ulogd"
    plugins = next((file.parent for file in pathlib.Path("/usr/lib").glob("**/ulogd_inpflow_NFCT.so")), "")
    pathlib.Path(configuration).write_text(ULOGD.format(folder=folder, plugins=plugins, output=output, buffer=buffer, file=file))
    return Logger(name, file, [*inside, "ulogd", "-c", configuration])


def agent(headgate, namespace, folder, write_configuration):
    file, socket = f"{folder}/flow.json", f"{folder}/events.sock"
    further = f"firewalls: [{{name: bench, endpoints: [{{availability_zone: a, netns: {namespace}}}]}}]\n"
    configuration = write_configuration(folder, "events", further)
    return Logger("headgate", file, [headgate, "--config", configuration, "agent"], ready=lambda: os.path.exists(socket))


def highest_rate(storm, logger, flows, full_speed, steps):
    """The highest rate without loss, by bisection between zero and full speed."""
    lossless, lossy = 0, full_speed
    for _ in range(steps):
        rate = (lossless + lossy) // 2
        lost, _, reached = storm.run(logger, min(flows, rate * SECONDS), rate)
        if lost <= 0:
            lossless = max(lossless, min(rate, reached))
        else:
            lossy = rate
        if lossless >= lossy:
            break
    return lossless


def measure(storm, logger, flows, steps):
    lost, used, reached = storm.run(logger, flows, 0)
    kept_up = reached if lost <= 0 else highest_rate(storm, logger, flows, reached, steps)
    return {"kept_up": kept_up, "lost": lost, "full_speed": reached, "microseconds": 1e6 * used / max(1, flows - lost)}


def bench_events(headgate, table, namespace, helpers, folder, write_configuration, flows, report, steps=6):
    """The table is empty before and after. Without a headgate program, measures only the others."""
    inside = ["ip", "netns", "exec", namespace]
    large = f"netlink_socket_buffer_size={LARGE}\nnetlink_socket_buffer_maxsize={2 * LARGE}"
    loggers = [
        conntrack(inside, folder, "conntrack -E"),
        conntrack(inside, folder, "conntrack -E, large buffer", room=2 * LARGE),
        ulogd(inside, folder, "ulogd2, JSON", "JSON"),
        ulogd(inside, folder, "ulogd2, JSON, large buffer", "JSON", large),
        ulogd(inside, folder, "ulogd2, GPRINT, large buffer", "GPRINT", large),
    ]
    if not shutil.which("ulogd"):  # not every distribution has it
        loggers = loggers[:2]
    storm = Storm(table, helpers)
    others = {logger.name: measure(storm, logger, flows, steps) for logger in loggers}
    ours = measure(storm, agent(headgate, namespace, folder, write_configuration), flows, steps) if headgate else None
    best = max(others, key=lambda name: others[name]["kept_up"])

    def told(figures):
        return {"lost": f"{figures['lost']:,} of {flows:,} at {figures['full_speed']:,}/s", "CPU": f"{figures['microseconds']:.2f} us"}

    for name, figures in others.items():
        report.add(f"ends of flows logged, {name}", "-", f"{figures['kept_up']:,}/s", "-", None, **told(figures))
    if ours:
        ratio = ours["kept_up"] / max(1, others[best]["kept_up"])
        report.add("ends of flows logged, headgate", best, f"{ours['kept_up']:,}/s", ">= 2x", ratio >= 2, ratio=f"{ratio:.2f}x", **told(ours))
