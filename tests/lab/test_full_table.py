# SPDX-License-Identifier: GPL-2.0-or-later
"""A full table: flows that the kernel evicts for new ones. Must run alone: all network namespaces share the limit."""

import contextlib
import pathlib
import socket

from flow_records import check_record
from lab import CLIENT, SERVER4, wait_until
from test_agent import start_agent  # noqa: F401 -- a fixture
from test_flow_log import FlowLog, socket_in

SYSCTLS = pathlib.Path("/proc/sys/net/netfilter")


@contextlib.contextmanager
def small_table(buckets, entries):
    """Few buckets, so that the kernel finds a flow to evict: it searches eight (nf_conntrack_core.c, early_drop)."""
    wanted = {"nf_conntrack_buckets": buckets, "nf_conntrack_max": entries}
    before = {name: (SYSCTLS / name).read_text() for name in wanted}
    for name, value in wanted.items():
        (SYSCTLS / name).write_text(str(value))
    try:
        yield
    finally:
        for name, value in before.items():
            (SYSCTLS / name).write_text(value)


def test_flows_that_a_full_table_gives_up_are_evicted(lab, start_agent):  # noqa: F811
    log = FlowLog(lab)
    start_agent(log.configuration(reasons="evicted"))
    with small_table(buckets=512, entries=2000):
        lab.fill(1950)
        for _ in range(200):
            newcomer = socket_in(lab, CLIENT, socket.SOCK_DGRAM)
            newcomer.sendto(b"new", (SERVER4, 5353))
            newcomer.close()
        wait_until(log.records, "a record of an evicted flow")
    record = log.records()[0]
    check_record(record)
    assert (record["flow"]["reason"], record["flow"]["last_state"]) == ("evicted", "NEW")
    assert record["src_ip"] in ("10.9.0.1", "10.0.1.2") and record["headgate"] == {"firewall": "edge", "availability_zone": "a"}
