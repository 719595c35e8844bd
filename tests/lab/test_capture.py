# SPDX-License-Identifier: GPL-2.0-or-later
"""Output of `headgate capture`, compared with conntrack(8)."""

import json
import re
import subprocess
import time

import pytest

from lab import CLIENT4, CLIENT6, GATEWAY, GATEWAY4_OUTSIDE, SERVER4, SERVER6, wait_until

MASQUERADE = """
table ip nat {
    chain out { type nat hook postrouting priority srcnat; oifname "server" masquerade; }
}
"""

REDIRECT = """
table ip nat {
    chain in { type nat hook prerouting priority dstnat; ip daddr 10.0.1.1 tcp dport 2222 dnat to 10.0.2.2:8080; }
}
"""

ZONE_5_FOR_THE_CLIENT = """
table inet zones {
    chain in {
        type filter hook prerouting priority raw; policy accept;
        iifname "client" ct zone set 5
        iifname "server" ct zone set 5
    }
}
"""


def conversation(lab, address=SERVER4, port=8080, protocol="tcp"):
    lab.serve_echo(port, protocol)
    talk = lab.talk(address, port, protocol)
    wait_until(lambda: talk.heard() > 2, "the conversation begins")
    return talk


def test_shows_the_same_flows_as_conntrack(lab):
    lab.serve_echo(8080)
    lab.serve_echo(5300, "udp")
    talks = [lab.talk(SERVER4, 8080), lab.talk(SERVER6, 8080), lab.talk(SERVER4, 5300, "udp"), lab.talk(SERVER6, 5300, "udp")]
    lab.ping(SERVER4)
    lab.ping(SERVER6)
    wait_until(lambda: all(talk.heard() > 2 for talk in talks), "all conversations begin")
    # The kernel marks a UDP flow as assured after two seconds; before, it may change between the two readings.
    wait_until(lambda: sum("ASSURED" in flow["flags"] for flow in lab.conntrack_of_both_families()) == len(talks), "all are assured")
    judged = lab.conntrack_of_both_families()
    flows = lab.capture("--all")
    assert sorted(flow["id"] for flow in flows) == sorted(flow["ct_id"] for flow in judged)
    by_id = {flow["ct_id"]: flow for flow in judged}
    for flow in flows:
        other = by_id[flow["id"]]
        assert flow["protocol"] == other["protocol"]
        assert flow["source"] == other["src"] and flow["destination"] == other["dst"]
        if "source_port" in flow:
            assert (flow["source_port"], flow["destination_port"]) == (int(other["sport"]), int(other["dport"]))
        else:
            assert (flow["icmp_type"], flow["icmp_id"]) == (int(other["type"]), int(other["id"]))
        assert ("ASSURED" in flow["status"]) == ("ASSURED" in other["flags"])
        assert flow["zone"] == 0 and "translated" not in flow


def test_a_flow_has_the_promised_keys(lab):
    conversation(lab)
    result = lab.headgate_json("capture", "--protocol", "tcp")
    assert {"operation_id", "type", "status", "firewall", "availability_zone", "requested_at", "duration_ms",
            "minimum_age_seconds", "filters", "counts", "stream_exception_policy", "flows"} <= result.keys()
    assert result["type"] == "FLOW_CAPTURE" and result["status"] == "COMPLETED"
    assert result["counts"] == {"scanned": 1, "matched": 1, "flushed": 0, "gone": 0, "failed": 0, "protected": 0}
    flow = result["flows"][0]
    assert {"id", "family", "protocol", "source", "source_port", "destination", "destination_port", "state",
            "protocol_state", "status", "age_seconds", "timeout_seconds", "packets", "bytes", "packets_reply",
            "bytes_reply", "mark", "zone"} <= flow.keys()
    assert flow["family"] == "ipv4" and flow["state"] == flow["protocol_state"] == "ESTABLISHED"
    assert flow["packets"] > 2 and flow["bytes"] > flow["packets"] * 40


def test_filters_choose(lab):
    lab.serve_echo(8080)
    lab.serve_echo(8081)
    talks = [lab.talk(SERVER4, 8080), lab.talk(SERVER4, 8081), lab.talk(SERVER6, 8081)]
    wait_until(lambda: all(talk.heard() > 2 for talk in talks), "all conversations begin")
    assert len(lab.capture("--destination-port", "8080:8081")) == 3
    assert len(lab.capture("--destination-port", "8080")) == 1
    assert len(lab.capture("--source", "10.0.1.0/24")) == 2
    assert len(lab.capture("--source", "2001:db8:1::/64")) == 1
    assert len(lab.capture("--filter", "destination-port=8080", "--filter", "destination=" + SERVER6)) == 2
    assert lab.capture("--source", SERVER4) == []
    assert len(lab.capture("--source", SERVER4, "--both-directions")) == 2
    assert len(lab.capture("--all", "--min-bytes", "10")) == 3
    assert lab.capture("--all", "--min-bytes", "100000000") == []
    assert len(lab.capture("--all", "--min-packets", "2")) == 3
    assert lab.capture("--all", "--min-packets", "100000000") == []
    assert lab.capture("--all", "--min-age", "3600") == []


def test_a_full_tuple_is_looked_up(lab):
    lab.serve_echo(8080)
    talk = lab.talk(SERVER4, 8080, source_port=40001)
    wait_until(lambda: talk.heard() > 2, "the conversation begins")
    words = ["capture", "--source", CLIENT4, "--source-port", "40001", "--destination", SERVER4, "--destination-port", "8080",
             "--protocol", "tcp", "--zone", "0", "--explain", "--json"]
    done = lab.headgate(*words)
    assert "plan: lookup of 1 tuple in zone 0" in done.stderr
    assert len(json.loads(done.stdout)["flows"]) == 1


def searched(lab, *words):
    """The flows that a search finds, and how it searched."""
    done = lab.headgate("capture", *words, "--explain", "--json")
    assert done.returncode == 0, done.stderr
    plan = re.search("plan: (.*)", done.stderr)[1]
    return sorted((flow["source"], flow["source_port"], flow["id"]) for flow in json.loads(done.stdout)["flows"]), plan


def test_a_large_table_is_walked_in_the_kernel(lab):
    lab.fill_many(60_000)
    words = ["--source-port", "1:100", "--protocol", "udp"]
    walked, plan = searched(lab, *words)
    if "built without the programs" in plan:
        pytest.skip(plan)
    assert plan.startswith("walk of the hash in the kernel: a filter leaves part of the tuple open; "), plan
    dumped, plan = searched(lab, *words, "--no-fast-scan")
    assert plan.startswith("full table scan") and dumped == walked and len(walked) == 200
    lab.configure("fast_scan: off\n")
    assert searched(lab, *words) == (dumped, plan)


def test_all_flows_of_a_large_table_are_read_without_asking_conntrack_for_each(lab):
    lab.fill_many(60_000)
    walked, plan = searched(lab, "--all")
    if "built without the programs" in plan:
        pytest.skip(plan)
    if "seed of ids is not to be found" in plan:
        pytest.skip(plan)
    assert plan.startswith("walk of the hash in the kernel: ")
    assert plan.endswith("; 64 flows are as conntrack reports them, so that the others are not looked up"), plan
    dumped, plan = searched(lab, "--all", "--no-fast-scan")
    assert plan.startswith("full table scan") and dumped == walked and len(walked) == 60_000


def test_a_flush_of_a_large_table_ends_what_a_walk_finds(lab):
    lab.fill_many(60_000)
    summary = lab.headgate_json("flush", "--source-port", "1:1000", "--yes")
    assert summary["counts"]["flushed"] == 2000
    assert lab.count() == 58_000


def test_a_masqueraded_flow_is_found_by_its_translated_addresses_only_when_asked(lab):
    lab.load_rules(MASQUERADE)
    conversation(lab)
    assert lab.capture("--source", GATEWAY4_OUTSIDE) == []
    [flow] = lab.capture("--source", GATEWAY4_OUTSIDE, "--match", "translated")
    assert flow["source"] == CLIENT4
    assert flow["translated"]["source"] == GATEWAY4_OUTSIDE and flow["translated"]["destination"] == SERVER4
    assert "SRC_NAT" in flow["status"]
    assert len(lab.capture("--source", CLIENT4, "--match", "any")) == 1
    assert lab.capture("--source", CLIENT4, "--match", "translated") == []


def test_a_redirected_flow_is_found_by_its_translated_addresses_only_when_asked(lab):
    lab.load_rules(REDIRECT)
    lab.serve_echo(8080)
    talk = lab.talk("10.0.1.1", 2222)
    wait_until(lambda: talk.heard() > 2, "the conversation begins")
    [flow] = lab.capture("--destination", "10.0.1.1", "--destination-port", "2222")
    assert flow["translated"]["destination"] == SERVER4 and flow["translated"]["destination_port"] == 8080
    assert lab.capture("--destination", SERVER4) == []
    assert [flow["id"]] == [each["id"] for each in lab.capture("--destination", SERVER4, "--match", "translated")]


def test_a_filter_names_both_sides_of_a_translation(lab):
    lab.load_rules(REDIRECT)
    lab.serve_echo(8080)
    talk = lab.talk("10.0.1.1", 2222)
    straight = lab.talk(SERVER4, 8080)
    wait_until(lambda: talk.heard() > 2 and straight.heard() > 2, "the conversations begin")
    [flow] = lab.capture("--destination", "10.0.1.1", "--translated-destination", SERVER4)
    assert flow["destination_port"] == 2222 and flow["translated"]["destination"] == SERVER4
    assert lab.capture("--destination", "10.0.1.1", "--translated-destination", CLIENT4) == []
    assert len(lab.capture("--translated-destination", SERVER4, "--destination-port", "8080")) == 1
    assert len(lab.capture("--filter", f"translated-destination={SERVER4},translated-source={CLIENT4}")) == 2
    done = lab.headgate_json("flush", "--filter", f"destination=10.0.1.1,translated-destination={SERVER4}", "--yes")
    assert done["counts"]["flushed"] == 1
    assert done["filters"] == [{"destination": "10.0.1.1", "translated_destination": SERVER4}]


def test_zones_are_distinguished(lab):
    lab.load_rules(ZONE_5_FOR_THE_CLIENT)
    conversation(lab)
    [flow] = lab.capture("--all", "--zone", "5")
    assert flow["zone"] == 5
    assert lab.capture("--all", "--zone", "0") == []
    tuple_words = ["--source", flow["source"], "--source-port", str(flow["source_port"]), "--destination", SERVER4,
                   "--destination-port", "8080", "--protocol", "tcp"]
    assert len(lab.capture(*tuple_words)) == 1, "a full tuple without a zone is looked for in all of them"
    assert len(lab.capture(*tuple_words, "--zone", "5")) == 1
    assert lab.capture(*tuple_words, "--zone", "0") == []


def test_closed_flows_are_shown_only_when_asked_for(lab):
    lab.serve_echo(8080)
    lab.run("client", "sh", "-c", f"echo hello | socat - TCP4:{SERVER4}:8080")
    wait_until(lambda: lab.capture("--all", "--state", "CLOSED"), "the connection is closed")
    assert lab.capture("--all") == []
    [flow] = lab.capture("--all", "--state", "CLOSED")
    assert flow["protocol_state"] == "TIME_WAIT"


def test_a_minimum_age_leaves_out_and_names_flows_of_unknown_age(lab):
    lab.run(GATEWAY, "sysctl", "-qw", "net.netfilter.nf_conntrack_timestamp=0")
    conversation(lab, port=8080)
    lab.run(GATEWAY, "sysctl", "-qw", "net.netfilter.nf_conntrack_timestamp=1")
    conversation(lab, port=8081)
    time.sleep(1.1)
    done = lab.headgate("capture", "--all", "--min-age", "1", "--json")
    result = json.loads(done.stdout)
    assert [flow["destination_port"] for flow in result["flows"]] == [8081]
    assert result["counts"]["age_unknown"] == 1
    assert "nf_conntrack_timestamp" in done.stderr
    [old] = lab.capture("--destination-port", "8080")
    assert "age_seconds" not in old


def test_ndjson_has_a_flow_a_line_and_the_summary_last(lab):
    lab.serve_echo(8080)
    talks = [lab.talk(SERVER4, 8080), lab.talk(SERVER6, 8080)]
    wait_until(lambda: all(talk.heard() > 2 for talk in talks), "all conversations begin")
    lines = [json.loads(line) for line in lab.headgate("capture", "--all", "--output", "ndjson").stdout.splitlines()]
    assert len(lines) == 3
    assert {line["source"] for line in lines[:-1]} == {CLIENT4, CLIENT6}
    assert lines[-1]["counts"]["matched"] == 2 and "flows" not in lines[-1]


def test_a_reader_that_goes_away_ends_it_quietly(lab):
    lab.fill(1000)
    command = f"{lab.headgate_line('capture', '--all', '--output', 'ndjson')} | head -1"
    done = subprocess.run(["bash", "-c", command + "; exit ${PIPESTATUS[0]}"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "" and len(done.stdout.splitlines()) == 1


def test_a_full_disk_is_an_error(lab):
    conversation(lab)
    with open("/dev/full", "w") as full:
        done = subprocess.run(lab.headgate_words("capture", "--all"), stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("headgate: writing the output: No space left on device; headgate operations results ")


def test_the_table_shows_how_full_it_is_and_of_what(lab):
    conversation(lab)
    result = lab.headgate_json("table")
    assert result["in_use"] == 1 and result["maximum"] > 0 and result["buckets"] > 0
    assert result["flows"] == [{"family": "ipv4", "protocol": "tcp", "state": "ESTABLISHED", "count": 1}]
    assert "FAMILY" in lab.headgate("table", "--output", "table").stdout


def test_nothing_that_matches_is_exit_status_3(lab):
    done = lab.headgate("capture", "--all", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["flows"] == []


def test_an_impossible_age_is_not_shown(lab):
    """In a new time namespace, the uptime that headgate sees is a second or two."""
    lab.fill(1)
    old = lambda: [flow for flow in lab.capture("--all") if flow["age_seconds"] >= 4]  # noqa: E731
    [flow] = wait_until(old, "the flow is four seconds old")
    just_booted = ["unshare", "--time", "--fork", f"--boottime=-{int(time.clock_gettime(time.CLOCK_BOOTTIME))}"]
    words = lab.headgate_words("capture", "--all", "--min-age", "1", "--json")
    done = subprocess.run([*just_booted, *words], capture_output=True, text=True)
    result = json.loads(done.stdout)
    if result["machine_up_seconds"] > 4:
        pytest.skip("this machine is too slow to be young")
    assert done.returncode == 3 and (result["flows"], result["counts"]["age_unknown"]) == ([], 1)
    assert "1 flow left out, whose age is not known" in done.stderr
    done = subprocess.run([*just_booted, *lab.headgate_words("capture", "--all", "--json")], capture_output=True, text=True)
    [young] = json.loads(done.stdout)["flows"]
    assert young["started_at"] == flow["started_at"] and "age_seconds" not in young
    known = lab.headgate("operations", "results", json.loads(done.stdout)["operation_id"], "--json", netns=False)
    assert json.loads(known.stdout)["flows"] == [young], "nor is it later"
