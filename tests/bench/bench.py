# SPDX-License-Identifier: GPL-2.0-or-later
"""make bench: cost of headgate on a full table, compared with conntrack(8) and with the limit of the interface.

bench.py BUILD [--flows N] [--repeat N] [--no-scale]

Both sides of a line are measured alternately in the same run; the results are medians. Needs root, 3 GiB of memory for
four million flows, and an otherwise idle machine: all namespaces share the hash table of conntrack.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from bench_agent import bench_agent
from bench_events import bench_events
from bench_http import bench_http

NAMESPACE, EMPTY_NAMESPACE = "hg-bench", "hg-bench-empty"
MEBIBYTE_LIMIT = 48
SYSCTL = "/proc/sys/net/netfilter/"


def read_sysctl(name):
    with open(SYSCTL + name) as file:
        return int(file.read())


def write_sysctl(name, value):
    with open(SYSCTL + name, "w") as file:
        file.write(str(value))


class Table:
    """A namespace with many flows; restores the machine's settings at the end."""

    def __init__(self, helpers):
        self.helpers = helpers
        self.size = 0

    def __enter__(self):
        self.saved = {name: read_sysctl(name) for name in ("nf_conntrack_max", "nf_conntrack_buckets")}
        for name in (NAMESPACE, EMPTY_NAMESPACE):
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
            subprocess.run(["ip", "netns", "add", name], check=True)
        write_sysctl("nf_conntrack_max", 6_000_000)
        self.run("sysctl", "-qw", *(f"net.netfilter.nf_conntrack_{name}=1" for name in ("acct", "timestamp", "events")))
        self.run("sysctl", "-qw", "net.netfilter.nf_conntrack_max=6000000", check=False)
        return self

    def __exit__(self, *_):
        for name in (NAMESPACE, EMPTY_NAMESPACE):
            subprocess.run(["ip", "netns", "del", name])
        for name, value in self.saved.items():
            write_sysctl(name, value)

    def run(self, *words, check=True):
        return subprocess.run(["ip", "netns", "exec", NAMESPACE, *words], check=check, capture_output=True, text=True)

    def grow_to(self, size):
        # The kernel refuses chains of more than 50 (nf_conntrack_core.c, MIN_CHAINLEN); no gateway runs that full.
        buckets = read_sysctl("nf_conntrack_buckets")
        while size > 4 * buckets:
            buckets *= 2
        write_sysctl("nf_conntrack_buckets", buckets)
        self.run(f"{self.helpers}/bench_fill_table", str(self.size), str(size))
        self.size = size

    def refill(self, server):
        self.run(f"{self.helpers}/bench_fill_table", "0", str(self.size), str(server))


class Measurement:
    def __init__(self):
        self.seconds, self.mebibytes = [], []

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def peak(self):
        return max(self.mebibytes)


def measure(words, into, namespace=NAMESPACE, statuses=(0,)):
    """Runs a command inside the namespace; measures wall time, and resident memory with time(1): the kernel counts what
    was resident before exec as the process's own, and time(1) is small."""
    with tempfile.NamedTemporaryFile("w") as output, tempfile.NamedTemporaryFile("r") as memory:
        timed = ["ip", "netns", "exec", namespace, "/usr/bin/time", "-q", "-f", "%M", "-o", memory.name, *words]
        begin = time.monotonic()
        status = subprocess.run(timed, stdout=output, stderr=subprocess.DEVNULL).returncode
        into.seconds.append(time.monotonic() - begin)
        into.mebibytes.append(int(memory.read()) / 1024)
    if status not in statuses:
        raise SystemExit(f"bench: {' '.join(words)} ended with {status}")


def compare(ours, theirs, repeat, after=lambda server: None):
    """Runs both in turn; each command is a function of the round, so that each flush has its own flows."""
    left, right = Measurement(), Measurement()
    for turn in range(repeat):
        for command, into, server in ((ours, left, 2 * turn % 8), (theirs, right, (2 * turn + 1) % 8)):
            measure(command(server), into)
            after(server)
    return left, right


def stolen_time():
    """Time that the host of a virtual machine has stolen from CPU 1 (proc(5), /proc/stat: steal)."""
    with open("/proc/stat") as file:
        return next(int(line.split()[8]) for line in file if line.startswith("cpu1 "))


def latency(helpers, words, repeat, after=lambda: None, namespace=NAMESPACE):
    """Maximum delay of a ticker on the same CPU while the command runs: the median of several runs, and the worst.
    A run in which the host stole CPU time does not measure the kernel; it is repeated, up to a limit."""
    latest, spare = [], 5 * repeat
    while len(latest) < repeat:
        stolen = stolen_time()
        ticker = subprocess.Popen([f"{helpers}/bench_ticker", "1"], stdout=subprocess.PIPE, text=True)
        if words:
            subprocess.run(["taskset", "-c", "1", "ip", "netns", "exec", namespace, *words], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        else:
            time.sleep(2)
        ticker.terminate()
        late = int(ticker.communicate()[0]) / 1000
        if stolen_time() == stolen or spare == 0:
            latest.append(late)
        else:
            spare -= 1
        after()
    return statistics.median(latest), max(latest)


class Report:
    def __init__(self):
        self.rows = []

    def add(self, work, against, figure, target, reached, **details):
        self.rows.append({"work": work, "against": against, "figure": figure, "target": target, "reached": reached, **details})
        mark = "" if reached is None else ("yes" if reached else "NO")
        shown = "  ".join(f"{key} {value}" for key, value in details.items())
        print(f"{work:<44} {against:<34} {figure:>12} {target:>9} {mark:>4}  {shown}", flush=True)


def filter_words(count):
    words = []
    for network in range(count):
        words += ["--filter", f"source=10.1.{network + 20}.0/24,destination-port={1 if network else 443},protocol=tcp"]
    return words


def full_tuple(table, headgate):
    flow = json.loads(table.run(*headgate, "capture", "--source", "10.1.7.0/24", "--protocol", "tcp", "--output", "ndjson")
                      .stdout.split("\n", 1)[0])
    ours = ["--source", flow["source"], "--source-port", str(flow["source_port"]), "--destination", flow["destination"],
            "--destination-port", str(flow["destination_port"]), "--protocol", "tcp"]
    theirs = ["-p", "tcp", "-s", flow["source"], "--sport", str(flow["source_port"]), "-d", flow["destination"],
              "--dport", str(flow["destination_port"])]
    return ours, theirs


def seconds(measurement):
    return f"{measurement.median:.3f}s" if measurement.median > 0.1 else f"{measurement.median * 1000:.1f}ms"


def bench(table, headgate, fast_flush, helpers, repeat, report):
    discard = [f"{helpers}/bench_discard_dump"]
    one_percent = [*headgate, "capture", "--source", "10.1.7.0/24", "--output", "ndjson"]
    peaks = []

    def row(work, against, ours, theirs, target, at_most=False, after=lambda server: None):
        left, right = compare(ours, theirs, repeat, after)
        ratio = left.median / right.median if at_most else right.median / left.median
        peaks.append(left.peak)
        report.add(work, against, f"{ratio:.2f}x", f"{'<=' if at_most else '>='} {target}x", ratio <= target if at_most else ratio >= target,
                   ours=seconds(left), theirs=seconds(right), MiB=f"{left.peak:.1f}")

    def always(words):
        return lambda server: words

    row("capture, /24 that matches 1 %", "discard-everything dump", always(one_percent), always(discard), 0.125, at_most=True)
    row("capture, /24 that matches 1 %", "conntrack -L -s", always(one_percent), always(["conntrack", "-L", "-s", "10.1.7.0/24"]), 10)
    ours, theirs = full_tuple(table, headgate)
    look_up, listed = [*headgate, "capture", *ours], always(["conntrack", "-L", *theirs])
    row("capture, one full tuple, in every zone", "conntrack -L of the same", always(look_up), listed, 15)
    row("capture, one full tuple, in zone 0", "conntrack -L of the same", always([*look_up, "--zone", "0"]), listed, 100)
    row("capture of all, NDJSON to a file", "conntrack -L -o extended, to a file", always([*headgate, "capture", "--all", "--output", "ndjson"]),
        always(["conntrack", "-L", "-o", "extended"]), 3)
    row("capture, 20 filters", "capture, 1 filter", always([*headgate, "capture", *filter_words(20)]),
        always([*headgate, "capture", *filter_words(1)]), 1.5, at_most=True)

    def flush(program):
        return lambda server: [*program, "flush", "--destination", f"10.2.{server}.0/24", "--yes", "--output", "ndjson"]

    def delete(server):
        return ["conntrack", "-D", "-d", f"10.2.{server}.0/24"]

    row("flush of 10 %, final state and counters", "conntrack -D of the same", flush(headgate), delete, 3, after=table.refill)
    row("flush of 10 %, fast_flush: true", "conntrack -D of the same", flush(fast_flush), delete, 5, after=table.refill)
    report.add("resident memory, the most of the above", "-", f"{max(peaks):.1f} MiB", f"<= {MEBIBYTE_LIMIT}", max(peaks) <= MEBIBYTE_LIMIT)


def bench_policy(table, headgate, repeat, report):
    """Cost of remembering 100,000 flows in nftables before they are flushed."""
    def forget(server):
        table.run(*headgate, "policy", "remove")
        table.refill(server)

    def flush(*more):
        return lambda server: [*headgate, "flush", "--destination", f"10.2.{server}.0/24", "--yes", "--output", "ndjson", *more]

    with tempfile.NamedTemporaryFile("w", suffix=".yaml", prefix="bench") as policy:
        policy.write("stream_exception_policy: drop\nscope: flushed\nremember_at_most: 200000\n")
        policy.flush()
        left, right = compare(flush("--stream-exception-policy", policy.name), flush(), repeat, after=forget)
    report.add("flush of 10 %, remembered by a policy", "the same without a policy", f"{left.median / right.median:.2f}x", "-", None,
               ours=seconds(left), theirs=seconds(right), MiB=f"{left.peak:.1f}")


def write_configuration(folder, name, further="", http=True):
    """Stores everything on a disk, as on a gateway. `http`: Unix socket only; if false, `further` configures HTTP."""
    file = f"{folder}/{name}.yaml"
    with open(file, "w") as configuration:
        configuration.write(f"state_dir: {folder}/{name}\naudit_log: {folder}/audit.log\noperation_timeout: 10m\n"
                            f"flow_log: {{sinks: [{{file: {folder}/flow.json}}]}}\n"
                            + (f"http: {{socket: {folder}/{name}.sock}}\n" if http else "") + further)
    return file


def bench_operations(table, headgate, helpers, folder, repeat, report):
    """Cost of storing operations on the disk of /var/tmp."""
    operation = [f"{helpers}/bench_operation", f"{folder}/engine"]

    def engine(*words):
        return table.run(*operation, *words).stdout.split()

    left, right = compare(lambda server: [*operation, "capture"], lambda server: [f"{helpers}/bench_discard_dump"], repeat)
    ratio = left.median / right.median
    report.add("capture of all into the store", "discard-everything dump", f"{ratio:.2f}x", "<= 1.25x", ratio <= 1.25,
               ours=seconds(left), theirs=seconds(right), MiB=f"{left.peak:.1f}")
    journal, none = [], []
    for turn in range(repeat):
        for kind, into, server in (("journal", journal, 2 * turn % 8), ("no-journal", none, (2 * turn + 1) % 8)):
            into.append(float(engine("flush", f"10.2.{server}.0/24", kind)[0]))
            table.refill(server)
    ratio = statistics.median(journal) / statistics.median(none)
    report.add("flush of 10 % with its journal", "the same without", f"{ratio:.2f}x", "<= 1.3x", ratio <= 1.3,
               ours=f"{statistics.median(journal):.3f}s", theirs=f"{statistics.median(none):.3f}s")
    _, captured = engine("capture")
    mean, worst = (1000 * float(word) for word in engine("pages", captured))
    report.add("100 results from anywhere in a capture", "-", f"{mean:.2f} ms", "<= 5 ms", worst <= 5, worst=f"{worst:.2f} ms")


def bench_large_capture(table, headgate, report):
    large = Measurement()
    measure([*headgate, "capture", "--all", "--output", "ndjson"], large)
    report.add(f"capture of all {table.size:,}, kept and told", "-", f"{large.peak:.1f} MiB", "<= 64", large.peak <= 64, took=seconds(large))


def bench_latency(table, headgate, helpers, repeat, report):
    late = {
        "idle": latency(helpers, [], repeat),
        "conntrack -L": latency(helpers, ["conntrack", "-L", "-s", "10.1.7.0/24"], repeat),
        "kernel-filtered dump": latency(helpers, ["conntrack", "-L", "-m", "99999"], repeat),
    }
    beside = {name: f"{median:.2f} ({worst:.2f})" for name, (median, worst) in late.items()}
    runs = {
        "capture": latency(helpers, [*headgate, "capture", "--source", "10.1.7.0/24"], repeat),
        "flush": latency(helpers, [*headgate, "flush", "--destination", "10.2.3.0/24", "--yes", "--output", "ndjson"], repeat,
                         after=lambda: table.refill(3)),
        "capture in an empty namespace": latency(helpers, [*headgate, "capture", "--all"], repeat, namespace=EMPTY_NAMESPACE),
    }
    most = late["idle"][0] + 1
    for work, (median, worst) in runs.items():
        report.add(f"1 ms ticker late at most, {work}", "median of runs (worst)", f"{median:.2f} ms", f"<= {most:.2f} ms", median <= most,
                   worst=f"{worst:.2f}", **beside)


def bench_empty(headgate, report, repeat):
    """A cost that no user of ctnetlink can avoid: a small namespace on a host with a large one."""
    empty = Measurement()
    for _ in range(repeat):
        measure([*headgate, "capture", "--all"], empty, EMPTY_NAMESPACE, statuses=(3,))
    report.add("capture in an empty namespace beside it", "-", seconds(empty), "-", None)


def bench_scale(table, headgate, sizes, repeat, report):
    for size in sizes:
        if size > table.size:
            table.grow_to(size)
        one_percent = Measurement()
        for _ in range(repeat):
            measure([*headgate, "capture", "--source", "10.1.7.0/24", "--output", "ndjson"], one_percent)
        report.add(f"capture, /24 that matches 1 %, of {size:,}", "-", f"{one_percent.median / size * 1e6:.2f} us", "flat", None,
                   took=seconds(one_percent), MiB=f"{one_percent.peak:.1f}")


def main():
    arguments = argparse.ArgumentParser(prog="make bench")
    arguments.add_argument("build")
    arguments.add_argument("--flows", type=int, default=1_000_000)
    arguments.add_argument("--repeat", type=int, default=5)
    arguments.add_argument("--no-scale", action="store_true", help="only the table of --flows entries")
    given = arguments.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("bench: filling a flow table takes root")
    helpers = os.path.abspath(f"{given.build}/tests/bench")
    report = Report()
    with Table(helpers) as table, tempfile.TemporaryDirectory(prefix="hg-bench", dir="/var/tmp") as folder:
        program = os.path.abspath(f"{given.build}/headgate")
        headgate = [program, "--config", write_configuration(folder, "here")]
        fast_flush = [program, "--config", write_configuration(folder, "fast", "fast_flush: true\n")]
        print(f"{'WORK':<44} {'AGAINST':<34} {'FIGURE':>12} {'TARGET':>9} {'':>4}")
        if not given.no_scale:
            bench_scale(table, headgate, [10_000, 100_000], given.repeat, report)
        table.grow_to(given.flows)
        bench(table, headgate, fast_flush, helpers, given.repeat, report)
        bench_policy(table, headgate, given.repeat, report)
        bench_operations(table, headgate, helpers, folder, given.repeat, report)
        bench_agent(headgate, NAMESPACE, folder, write_configuration, table, compare, given.repeat, report)
        bench_http(headgate[0], NAMESPACE, folder, write_configuration, given.repeat, report)
        bench_latency(table, headgate, helpers, given.repeat, report)
        bench_empty(headgate, report, given.repeat)
        if not given.no_scale:
            bench_scale(table, headgate, [given.flows, 4_000_000], 3, report)
            bench_large_capture(table, headgate, report)
        table.run("conntrack", "-F")
        bench_events(headgate[0], table, NAMESPACE, helpers, folder, write_configuration, given.flows, report)
    with open(f"{given.build}/bench.json", "w") as file:
        json.dump({"flows": given.flows, "kernel": os.uname().release, "cpus": os.cpu_count(), "rows": report.rows}, file, indent=1)
    print(f"also in {given.build}/bench.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
