# SPDX-License-Identifier: GPL-2.0-or-later
"""Flushes that let flows expire (fast_flush), compared with those that delete them."""

import contextlib
import re
import time

import pytest

from lab import GATEWAY, SERVER4, wait_until
from test_agent import headgate_json, start_agent  # noqa: F401 -- a fixture
from test_flow_log import FlowLog, reap
from traffic import Conversation

FAST = "fast_flush: true\n"


@pytest.fixture(autouse=True)
def programs(lab):
    """Skips where headgate cannot load programs."""
    lab.configure(FAST)
    lab.fill(300)
    done = lab.headgate("flush", "--all", "--yes")
    if "built without the programs" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0 and "fast flushes are off" not in done.stderr, done.stderr


@contextlib.contextmanager
def deletions(lab):
    """What conntrack(8) hears, in part if it is much; the ends that a program caused have its port."""
    ends = []
    heard = lab.folder / "heard"
    with open(heard, "w") as file:
        process = lab.start(GATEWAY, "sh", "-c", f"exec stdbuf -oL conntrack -b 16777216 -E -e DESTROY -o userspace > {heard}")
        time.sleep(0.5)
        yield ends
        time.sleep(0.5)
        lab.stop(process)
    ends.extend(heard.read_text().splitlines())


def of_programs(ends):
    return [line for line in ends if "[USERSPACE]" in line]


def test_the_agent_logs_each_flow_that_it_let_expire_once_as_flushed(lab, start_agent):  # noqa: F811
    log = FlowLog(lab, "expired.json")
    agent = start_agent(log.configuration() + FAST)
    lab.fill_many(10_000)
    with deletions(lab) as ends:
        flushed = headgate_json(lab, "flush", "--destination", "10.9.99.2", "--yes")
        assert flushed["counts"]["flushed"] == 10_000
        wait_until(lambda: log.lines() >= 10_000, "all records")
    assert ends and of_programs(ends) == [], "the kernel ended them"
    records = log.records()
    assert len({record["flow_id"] for record in records}) == len(records) == 10_000
    for record in records:
        assert record["flow"]["reason"] == "flushed"
        assert record["headgate"] == {"firewall": "edge", "availability_zone": "a", "operation_id": flushed["operation_id"],
                                      "user": "root", "stream_exception_policy": "none"}
    assert "fast flushes are off" not in agent.said()


def test_flows_that_time_out_meanwhile_keep_their_reason(lab, start_agent):  # noqa: F811
    log = FlowLog(lab, "expired.json")
    start_agent(log.configuration() + FAST)
    lab.fill_many(5000)
    rules = "".join(f"-A -p udp -s 10.9.7.1 -d 10.9.7.2 --sport {port} --dport 53 -t 1\n" for port in range(1, 501))
    lab.run(GATEWAY, "conntrack", "-R", "-", input=rules)
    time.sleep(1.1)
    flushed = headgate_json(lab, "flush", "--destination", "10.9.99.2", "--yes")["counts"]["flushed"]
    reap(lab)
    wait_until(lambda: log.lines() >= 5500, "all records")
    reasons = [record["flow"]["reason"] for record in log.records()]
    assert flushed == reasons.count("flushed") == 5000 and reasons.count("timeout") == 500


def test_a_connection_has_its_final_counters_and_state(lab, start_agent):  # noqa: F811
    log = FlowLog(lab, "expired.json")
    start_agent(log.configuration() + FAST)
    with Conversation(lab, SERVER4) as talk:
        [known] = [flow for flow in lab.conntrack() if str(talk.port) in (flow.get("sport"), flow.get("dport"))]
        with deletions(lab) as ends:
            headgate_json(lab, "flush", "--source-port", str(talk.port), "--yes")
        record = log.record_of(talk.port)
    assert of_programs([line for line in ends if f"sport={talk.port} " in line]) == []
    assert record["tcp"] == {"state": "established"} and record["flow"]["last_state"] == "ESTABLISHED"
    assert record["flow"]["pkts_toserver"] == int(known["packets"]) and record["flow"]["bytes_toclient"] == int(known["reply-bytes"])
    assert record["timestamp"] == record["flow"]["end"] > record["flow"]["start"]


def test_a_command_deletes_where_a_program_listens(lab):
    lab.fill(300)
    with deletions(lab) as ends:
        assert lab.headgate_json("flush", "--all", "--yes")["counts"]["flushed"] == 300
    assert len(of_programs(ends)) == len(ends) == 300


def without_what_differs(result):
    """A flush's JSON without times and ids."""
    kept = {key: value for key, value in result.items() if key not in ("operation_id", "requested_at", "duration_ms", "machine_up_seconds",
                                                                   "flows")}
    flows = [{key: value for key, value in flow.items() if key not in ("id", "started_at", "age_seconds", "timeout_seconds")}
             for flow in result["flows"]]
    return kept, sorted(flows, key=lambda flow: (flow["protocol"], flow["source"], flow.get("source_port", 0)))


def test_guards_outcomes_and_results_are_those_of_deletions(lab):
    """Also the protection, and what of it expires: TCP and UDP."""
    rules = "".join(f"-A -p {protocol} -s 10.9.0.{last} -d 10.9.0.9 --sport {port} --dport 80 -t 600{state}\n"
                    for protocol, last, state in (("udp", 1, ""), ("tcp", 2, " --state ESTABLISHED"), ("sctp", 3, " --state ESTABLISHED --orig-vtag 1 --reply-vtag 2"))
                    for port in range(1, 201))
    results = []
    for how in ("", FAST):
        lab.configure(how + "protected: ['source-port=1:20']\n")
        lab.run(GATEWAY, "conntrack", "-R", "-", input=rules)
        results.append(without_what_differs(lab.headgate_json("flush", "--destination-port", "80", "--yes")))
        assert lab.count() == 60
        refused = lab.headgate("flush", "--all", "--yes", "--max-flows", "59")
        assert refused.returncode == 5 and lab.count() == 60
        assert lab.headgate_json("flush", "--all", "--yes", "--include-protected")["counts"]["flushed"] == 60
    assert results[0] == results[1]


def test_without_the_privileges_it_deletes_and_says_so_in_one_line(lab):
    lab.fill(600)
    words = lab.headgate_words("flush", "--all", "--yes", netns=False)
    lab.configure(FAST)
    done = lab.run(GATEWAY, "setpriv", "--bounding-set", "-all,+net_admin", *words, check=False)
    assert done.returncode == 0 and lab.count() == 0
    assert len(re.findall("fast flushes are off, and flows are deleted instead: ", done.stderr)) == 1
