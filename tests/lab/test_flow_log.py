# SPDX-License-Identifier: GPL-2.0-or-later
"""The flow log: each ended flow has exactly one record, with reason and last state."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from flow_records import check_record
from lab import CLIENT, CLIENT4, CLIENT6, GATEWAY, GATEWAY4_OUTSIDE, SERVER, SERVER4, SERVER6, wait_until
from test_agent import headgate, headgate_json, start_agent  # noqa: F401 -- a fixture
from test_capture import MASQUERADE
from traffic import UDP, Conversation

class FlowLog:
    """The file to which the agent writes."""

    def __init__(self, lab, name="flow.json"):
        self.lab = lab
        self.file = lab.folder / name

    def configuration(self, format="eve", reasons="all", filters="", other_sinks=(), queue="16MiB"):
        sinks = "".join(f"  - {sink}\n" for sink in (f"file: {self.file}", *other_sinks))
        return (f"flow_log:\n  format: {format}\n  reasons: [{reasons}]\n  filters: [{filters}]\n  queue: {queue}\n"
                f"  sinks:\n{sinks}")

    def records(self):
        """Expects complete lines only."""
        text = self.file.read_text() if self.file.exists() else ""
        assert text == "" or text.endswith("\n"), "the last line is torn"
        return [json.loads(line) for line in text.splitlines()]

    def lines(self):
        return self.file.read_bytes().count(b"\n") if self.file.exists() else 0

    def of_port(self, port, kind="flow"):
        return [record for record in self.records() if record["event_type"] == kind and port in (record.get("src_port"), record.get("dest_port"))]

    def record_of(self, port):
        """Waits for the record of the flow with this port; expects exactly one."""
        wait_until(lambda: self.of_port(port), f"a record of the flow with port {port}")
        time.sleep(0.2)  # time for an erroneous second record
        [record] = self.of_port(port)
        check_record(record)
        return record


@pytest.fixture
def log(lab, start_agent):  # noqa: F811
    log = FlowLog(lab)
    start_agent(log.configuration())
    return log


def shorten(lab, **timeouts):
    for name, seconds in timeouts.items():
        lab.run(GATEWAY, "sysctl", "-qw", f"net.netfilter.nf_conntrack_{name}={seconds}")


def reap(lab):
    """Dumps the table, so that the kernel removes expired flows; its garbage collection may take a minute."""
    lab.conntrack()
    lab.conntrack(family="ipv6")


def reap_until_ended(lab, log, port):
    def ended():
        reap(lab)
        return log.of_port(port)

    wait_until(ended, "the flow times out")
    return log.record_of(port)


def conntrack_says(lab, port, family="ipv4"):
    [flow] = [flow for flow in lab.conntrack(family=family) if str(port) in (flow.get("sport"), flow.get("dport"))]
    return flow


@pytest.mark.parametrize("address, source", [(SERVER4, CLIENT4), (SERVER6, CLIENT6)], ids=["ipv4", "ipv6"])
def test_what_a_flush_ends_has_everything_in_its_record(lab, log, address, source):
    lab.load_rules("table inet marking { chain forward { type filter hook forward priority 0; ct mark set 7; }; }")
    with Conversation(lab, address) as talk:
        known = conntrack_says(lab, talk.port, "ipv6" if ":" in address else "ipv4")
        time.sleep(1.1)
        flushed = headgate_json(lab, "flush", "--source-port", str(talk.port), "--yes")
        record = log.record_of(talk.port)
        assert (record["src_ip"], record["src_port"], record["dest_ip"], record["dest_port"]) == (source, talk.port, address, 8080)
        assert (record["proto"], record["ip_v"]) == ("TCP", 6 if ":" in address else 4)
        assert record["community_id"].startswith("1:") and len(record["community_id"]) == 30
        assert record["flow_id"] % 2**32 == int(known["id"]) == flushed["flows"][0]["id"]
        assert record["mark"] == 7 and "zone" not in record and "nat" not in record
        flow = record["flow"]
        assert (flow["reason"], flow["state"], flow["last_state"]) == ("flushed", "established", "ESTABLISHED")
        assert record["tcp"] == {"state": "established"}
        assert flow["pkts_toserver"] == int(known["packets"]) and flow["bytes_toserver"] == int(known["bytes"])
        assert flow["pkts_toclient"] == int(known["reply-packets"]) and flow["bytes_toclient"] == int(known["reply-bytes"])
        assert record["timestamp"] == flow["end"] > flow["start"] and 1 <= flow["age"] <= 20
        assert record["headgate"] == {"firewall": "edge", "availability_zone": "a", "operation_id": flushed["operation_id"],
                                      "user": "root", "stream_exception_policy": "none"}


def test_a_connection_that_is_closed_by_both_ends(lab, log):
    shorten(lab, tcp_timeout_time_wait=1, tcp_timeout_last_ack=1, tcp_timeout_close_wait=1, tcp_timeout_fin_wait=1)
    with Conversation(lab, SERVER4) as talk:
        talk.client.socket.shutdown(socket.SHUT_WR)
        assert talk.server.socket.recv(10) == b""
        talk.server.socket.close()
        assert talk.client.socket.recv(10) == b""
    record = reap_until_ended(lab, log, talk.port)
    assert (record["flow"]["reason"], record["flow"]["last_state"], record["tcp"]["state"]) == ("closed", "CLOSED", "time_wait")
    assert "flushed_by" not in record["headgate"]


def test_a_connection_that_is_reset(lab, log):
    shorten(lab, tcp_timeout_close=1)
    with Conversation(lab, SERVER4) as talk:
        talk.client.close()  # SO_LINGER 0: sends a reset
        record = reap_until_ended(lab, log, talk.port)
    assert (record["flow"]["reason"], record["flow"]["last_state"], record["tcp"]["state"]) == ("closed", "CLOSED", "close")


def test_a_connection_that_is_refused(lab, log):
    client = socket_in(lab, CLIENT, socket.SOCK_STREAM)
    with pytest.raises(ConnectionRefusedError):
        client.connect((SERVER4, 9))
    record = log.record_of(9)
    assert (record["flow"]["reason"], record["flow"]["last_state"]) == ("closed", "CLOSED")


def socket_in(lab, host, kind):
    """A socket opened in the host's namespace."""
    from traffic import open_socket
    return open_socket(lab, host, socket.AF_INET, kind)


@pytest.mark.parametrize("address", [SERVER4, SERVER6], ids=["ipv4", "ipv6"])
def test_a_udp_conversation_that_times_out(lab, log, address):
    shorten(lab, udp_timeout=1, udp_timeout_stream=1)
    with Conversation(lab, address, protocol=UDP) as talk:
        record = reap_until_ended(lab, log, talk.port)
    assert record["proto"] == "UDP" and "tcp" not in record
    assert (record["flow"]["reason"], record["flow"]["last_state"]) == ("timeout", "ESTABLISHED")
    assert record["flow"]["pkts_toserver"] >= 2 and record["flow"]["pkts_toclient"] >= 1


def test_a_connection_that_idles_until_it_times_out(lab, log):
    shorten(lab, tcp_timeout_established=1)
    with Conversation(lab, SERVER4) as talk:
        record = reap_until_ended(lab, log, talk.port)
    assert (record["flow"]["reason"], record["flow"]["last_state"], record["tcp"]["state"]) == ("timeout", "ESTABLISHED", "established")


@pytest.mark.parametrize("address, name, request_type", [(SERVER4, "ICMP", 8), (SERVER6, "IPv6-ICMP", 128)], ids=["ipv4", "ipv6"])
def test_a_ping_that_times_out(lab, log, address, name, request_type):
    shorten(lab, icmp_timeout=1, icmpv6_timeout=1)
    lab.run(CLIENT, "ping", "-c", "1", address)

    def pings():
        reap(lab)
        return [record for record in log.records() if record.get("icmp_type") == request_type]

    wait_until(pings, "the ping's flow times out")
    [record] = pings()
    check_record(record)
    assert (record["proto"], record["icmp_code"]) == (name, 0) and "src_port" not in record
    assert (record["flow"]["reason"], record["flow"]["last_state"]) == ("timeout", "ESTABLISHED")


def test_a_flow_that_another_program_deletes_names_that_program(lab, log):
    with Conversation(lab, SERVER4) as talk:
        lab.run(GATEWAY, "conntrack", "-D", "-p", "tcp", "--sport", str(talk.port))
        record = log.record_of(talk.port)
    assert (record["flow"]["reason"], record["flow"]["last_state"]) == ("flushed", "ESTABLISHED")
    by = record["headgate"]["flushed_by"]
    assert by["port_id"] > 0 and by.get("process", "conntrack") == "conntrack"
    assert "operation_id" not in record["headgate"]


def test_a_program_that_stays_is_named(lab, log):
    """The program opens its socket in the gateway's namespace, deletes all flows, and keeps running."""
    lab.fill(20)
    deleter = lab.start(GATEWAY, "/usr/bin/python3", "-c", """
import socket, struct, sys, time
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
s.bind((0, 0))
s.send(struct.pack("=IHHIIBBH", 20, 0x102, 5, 1, 0, 0, 0, 0))
time.sleep(60)
""")
    record = log.record_of(7)
    assert record["headgate"]["flushed_by"] == {"port_id": deleter.pid, "process": "python3"}


def test_translated_flows_have_both_sides(lab, log):
    lab.load_rules(MASQUERADE)
    with Conversation(lab, SERVER4) as talk:
        headgate_json(lab, "flush", "--source-port", str(talk.port), "--yes")
        record = log.record_of(talk.port)
    assert record["src_ip"] == CLIENT4
    assert record["nat"]["src_ip"] == GATEWAY4_OUTSIDE and record["nat"]["dest_ip"] == SERVER4 and record["nat"]["dest_port"] == 8080


def test_flows_without_events_are_logged_by_the_flush(lab, log):
    """The flows were created while nf_conntrack_events was 0."""
    lab.run(GATEWAY, "sysctl", "-qw", "net.netfilter.nf_conntrack_events=0")
    with Conversation(lab, SERVER4) as talk:
        lab.run(GATEWAY, "sysctl", "-qw", "net.netfilter.nf_conntrack_events=1")
        flushed = headgate_json(lab, "flush", "--source-port", str(talk.port), "--yes")
        record = log.record_of(talk.port)
    assert record["headgate"]["operation_id"] == flushed["operation_id"]
    assert record["flow"]["pkts_toserver"] > 0 and record["flow"]["last_state"] == "ESTABLISHED"


def test_a_flush_of_many_gives_as_many_records(lab, log):
    lab.fill_many(100_000)
    flushed = headgate_json(lab, "flush", "--destination", "10.9.99.2", "--yes")
    assert flushed["counts"]["flushed"] == 100_000
    wait_until(lambda: log.lines() >= 100_000, "all records", seconds=20)
    time.sleep(0.3)
    assert log.lines() == 100_000
    ids = set()
    with open(log.file) as file:
        for line in file:
            record = json.loads(line)
            assert record["headgate"]["operation_id"] == flushed["operation_id"]
            ids.add(record["flow_id"])
    assert len(ids) == 100_000


def test_in_the_format_of_aws_there_is_a_record_for_each_direction(lab, start_agent):  # noqa: F811
    log = FlowLog(lab)
    start_agent(log.configuration(format="aws"))
    with Conversation(lab, SERVER4) as talk:
        headgate_json(lab, "flush", "--source-port", str(talk.port), "--yes")
        wait_until(lambda: log.lines() == 2, "two records")
    there, back = [json.loads(line) for line in log.file.read_text().splitlines()]
    for record in (there, back):
        check_record(record)
        assert (record["firewall_name"], record["availability_zone"]) == ("edge", "a")
        assert record["event"]["event_type"] == "netflow" and record["event"]["netflow"]["reason"] == "flushed"
    assert (there["event"]["src_ip"], back["event"]["src_ip"]) == (CLIENT4, SERVER4)
    assert there["event"]["flow_id"] == back["event"]["flow_id"]


def test_only_what_is_wanted_is_logged(lab, start_agent):  # noqa: F811
    log = FlowLog(lab)
    start_agent(log.configuration(reasons="flushed", filters="destination-port=8080"))
    shorten(lab, udp_timeout=1)
    lab.fill(3)
    with Conversation(lab, SERVER4, protocol=UDP), Conversation(lab, SERVER4) as talk, Conversation(lab, SERVER4, port=8081, server_port=8081):
        headgate_json(lab, "flush", "--protocol", "tcp", "--yes")
        headgate_json(lab, "flush", "--source", "10.9.0.1", "--yes")
        time.sleep(1.5)
        reap(lab)
        log.record_of(talk.port)
    assert [record["flow"]["reason"] for record in log.records()] == ["flushed"]


def test_without_an_agent_the_command_line_logs_what_it_flushes(lab):
    log = FlowLog(lab)
    lab.configure(log.configuration())
    with Conversation(lab, SERVER4) as talk:
        flushed = lab.headgate_json("flush", "--source-port", str(talk.port), "--yes")
        record = log.record_of(talk.port)
    assert record["headgate"]["operation_id"] == flushed["operation_id"]


def test_what_the_command_line_flushes_beside_an_agent_is_logged_once(lab, log):
    with Conversation(lab, SERVER4) as talk:
        done = lab.headgate("flush", "--source-port", str(talk.port), "--yes", "--json")  # --netns: without the agent
        assert done.returncode == 0, done.stderr
        record = log.record_of(talk.port)
    assert record["headgate"]["operation_id"] == json.loads(done.stdout)["operation_id"]


def test_the_file_is_rotated_under_load_without_a_lost_or_torn_line(lab, start_agent):  # noqa: F811
    log = FlowLog(lab)
    agent = start_agent(log.configuration())
    flushed = 0
    for number in range(6):
        lab.fill_many(5000)
        flush = subprocess.Popen(lab.headgate_words("flush", "--destination", "10.9.99.2", "--yes", "--json", netns=False),
                                 stdout=subprocess.PIPE, text=True)
        time.sleep(0.05)
        with contextlib.suppress(FileNotFoundError):
            os.rename(log.file, f"{log.file}.{number}")
        agent.signal(signal.SIGHUP)
        flushed += json.loads(flush.communicate()[0])["counts"]["flushed"]
    assert flushed == 30_000

    def lines():
        return [line for file in lab.folder.glob("flow.json*") for line in file.read_text().splitlines(keepends=True)]

    wait_until(lambda: len(lines()) >= flushed, "all records")
    told = [json.loads(line)["headgate"]["operation_id"] for line in lines()]
    assert len(told) == flushed and all(line.endswith("\n") for line in lines())


def test_an_agent_that_is_stopped_under_load_loses_nothing_that_it_heard(lab, start_agent):  # noqa: F811
    """Events while no agent runs are not counted; the next agent reports the interval."""
    log = FlowLog(lab)
    agent = start_agent(log.configuration())
    lab.fill_many(20_000)
    deleting = subprocess.Popen(lab.command(GATEWAY, "conntrack", "-D", "-d", "10.9.99.2"), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
    time.sleep(0.15)
    assert agent.stop() == 0
    deleting.wait()
    before = [json.loads(line)["flow_id"] for line in log.file.read_text().splitlines()]
    assert 0 < len(before) <= 20_000 and len(set(before)) == len(before)
    agent = start_agent(log.configuration())
    with Conversation(lab, SERVER4) as talk:
        headgate_json(lab, "flush", "--source-port", str(talk.port), "--yes")
        log.record_of(talk.port)
    assert "no agent listened" in agent.said()


@pytest.mark.parametrize("how", ["fast_flush: false\n", "fast_flush: true\n"])
def test_after_a_kill_in_the_middle_of_a_flush_each_flushed_flow_has_one_record(lab, start_agent, how):  # noqa: F811
    log = FlowLog(lab)
    agent = start_agent(log.configuration() + how)
    cut = 0
    for _ in range(4):
        lab.fill_many(30_000)
        running = subprocess.Popen(lab.headgate_words("flush", "--destination", "10.9.99.2", "--yes", "--json", netns=False),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: lab.count() < 25_000 or running.poll() is not None, "the flush is under way")
        agent.process.kill()
        agent.process.wait()
        running.wait()
        agent = start_agent(log.configuration() + how)
        [operation, *_] = headgate_json(lab, "operations", "list", "--type", "flush")["operations"]
        wait_until(lambda: not any((lab.folder / "state").glob("unwritten-records.*")), "all records are written")
        results = headgate_json(lab, "operations", "results", operation["operation_id"])["flows"]
        flushed = sorted(flow["id"] for flow in results if flow["outcome"] == "flushed")
        records = [record for record in log.records() if record.get("headgate", {}).get("operation_id") == operation["operation_id"]]
        assert sorted(record["flow_id"] % 2**32 for record in records if "reason" in record["flow"]) == flushed
        assert len({record["flow_id"] for record in records}) == len(records)
        cut += operation["status"] == "COMPLETED_WITH_ERRORS" and 0 < len(flushed) < 30_000
        lab.run(GATEWAY, "conntrack", "-F")
    assert cut > 0, "none was killed in the middle"


def test_who_follows_the_log_does_not_hold_up_the_agent_s_end(lab, start_agent):  # noqa: F811
    log = FlowLog(lab)
    agent = start_agent(log.configuration())
    following = subprocess.Popen(["curl", "-sN", "--unix-socket", str(lab.folder / "headgate.sock"),
                                  "http://agent/v1/flow-log?follow=true", "-H", "Accept: application/x-ndjson"],
                                 stdout=subprocess.PIPE, text=True)
    with Conversation(lab, SERVER4) as talk:
        headgate_json(lab, "flush", "--source-port", str(talk.port), "--yes")
        assert json.loads(following.stdout.readline())["src_port"] == talk.port
    began = time.monotonic()
    assert agent.stop() == 0
    assert following.wait(timeout=5) == 0 and time.monotonic() - began < 5


def test_a_sink_that_blocks_holds_up_neither_a_flush_nor_the_other_sink(lab, start_agent):  # noqa: F811
    log = FlowLog(lab)
    path = str(lab.folder / "deaf.sock")
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    deaf.bind(path)

    def time_of_flush():
        lab.fill_many(5000)
        began = time.monotonic()
        flushed = headgate_json(lab, "flush", "--destination", "10.9.99.2", "--yes")
        assert flushed["counts"]["flushed"] == 5000
        return time.monotonic() - began

    before = start_agent(log.configuration(queue="4MiB"))
    usual = time_of_flush()
    assert before.stop() == 0
    agent = start_agent(log.configuration(other_sinks=[f"unix_datagram: {path}"], queue="4MiB"))
    assert time_of_flush() < 3 * usual + 2
    wait_until(lambda: log.lines() >= 10_000, "all records in the file")
    assert log.lines() == 10_000
    wait_until(lambda: "unix_datagram" in agent.said(), "the agent says that a sink is stuck")


def test_the_log_is_shown_followed_and_filtered(lab, log):
    with Conversation(lab, SERVER4) as talk, Conversation(lab, SERVER4) as other:
        flushed = headgate_json(lab, "flush", "--source-port", str(talk.port), "--yes")
        lab.run(GATEWAY, "conntrack", "-D", "-p", "tcp", "--sport", str(other.port))
        log.record_of(talk.port), log.record_of(other.port)
        shown = headgate(lab, "log")
        assert flushed["operation_id"] in shown.stdout or flushed["operation_id"][:8] in shown.stdout
        [record] = headgate_json(lab, "log", "--filter", f"source-port={talk.port}")["records"]
        assert record["headgate"]["operation_id"] == flushed["operation_id"]
        for chosen in (["--operation", flushed["operation_id"]], ["--by", "root", "--since", "1m"]):
            [record] = headgate_json(lab, "log", *chosen)["records"]
            assert record["src_port"] == talk.port
        by = log.record_of(other.port)["headgate"]["flushed_by"]
        [record] = headgate_json(lab, "log", "--by", by.get("process", f"port {by['port_id']}"))["records"]
        assert record["src_port"] == other.port
        captured = json.loads(headgate(lab, "capture", "--all", "--json").stdout)["operation_id"]
        done = headgate(lab, "log", "--operation", captured[:8])
        assert (done.returncode, done.stderr) == (3, f"headgate: operation {captured} is a capture, which ends no flow\n")
        asked = headgate(lab, "log", "--socket", str(lab.folder / "headgate.sock"), "--json")
        assert len(json.loads(asked.stdout)["records"]) >= 2
        assert "the agent remembers the 5000 flows that ended last" in asked.stderr, "what may be left out is said"
        for none in (["--reason", "evicted"], ["--by", "somebody"], ["--until", "1m"]):
            assert headgate(lab, "log", *none).returncode == 3
        following = subprocess.Popen(lab.headgate_words("log", "--follow", "--lines", "0", "--reason", "flushed", "--output", "ndjson",
                                                        netns=False), stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        with Conversation(lab, SERVER4) as third:
            headgate_json(lab, "flush", "--source-port", str(third.port), "--yes")
        assert json.loads(following.stdout.readline())["src_port"] == third.port
        following.send_signal(signal.SIGINT)
        assert following.wait(timeout=5) == 0
