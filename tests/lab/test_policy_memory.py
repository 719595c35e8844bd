# SPDX-License-Identifier: GPL-2.0-or-later
"""Remembered flushed flows, also while policies change, and how a flush and a policy work together."""

import datetime
import json
import re

import pytest

from lab import GATEWAY, GATEWAY4_OUTSIDE, SERVER4, SERVER6, wait_until
from policies import (OTHER_FATES, STREAM_FATES, counted, flows_of, flush, gets_through, is_caught, ruleset, status, stream_fate,
                      strictness)
from test_capture import MASQUERADE, ZONE_5_FOR_THE_CLIENT
from test_operations import headgate, headgate_json
from traffic import DATA, PATIENCE, RESET, SILENCE, UDP, Conversation, Flood, Ping

# These rules delay packets so long that some are inside of them at every change of policy. So it matters which chains
# come before and which after them.
OPERATOR_TAKES_TIME = """
table inet operator {
    chain slow {
        type filter hook forward priority -192; policy accept;
""" + "meta mark 1 accept\n" * 3000 + "}\n}\n"


def test_what_was_flushed_under_one_policy_is_known_to_the_next(lab, tmp_path):
    """Also if the size of the memory changes with the policy."""
    lab.apply(lab.write_policy(tmp_path, "first", "drop", remember_at_most=100, remember_flushed_for="60s"))
    with Conversation(lab, SERVER4, protocol=UDP) as four, Conversation(lab, SERVER6, protocol=UDP) as six:
        flush(lab, four), flush(lab, six)
        for name, exception, size in (("first", "drop", 100), ("second", "reject", 100), ("third", "drop", 1000),
                                      ("fourth", "reject", 10)):
            lab.apply(lab.write_policy(tmp_path, name, exception, remember_at_most=size, remember_flushed_for="60s"))
            assert status(lab)["remembered_flows"] == 2
            for conversation in (four, six):
                is_caught(lab, conversation, OTHER_FATES[exception])
        lab.apply("continue")
        for conversation in (four, six):
            assert conversation.loses_nothing()


def test_a_memory_too_small_for_what_is_remembered_is_refused(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "large", "drop", remember_at_most=100))
    with Conversation(lab, SERVER4) as one, Conversation(lab, SERVER4) as two, Conversation(lab, SERVER4) as three:
        lab.headgate_json("flush", "--protocol", "tcp", "--yes")
        done = lab.headgate("policy", "apply", lab.write_policy(tmp_path, "small", "reject", remember_at_most=1))
        assert done.returncode == 5 and "3 flushed flows are remembered, and the policy remembers 1 at most" in done.stderr
        assert re.search(r"wait about \d+m\d\ds until they are forgotten", done.stderr), done.stderr
        assert status(lab)["policy"] == "large" and status(lab)["condition"] == "as_applied"
        for conversation in (one, two, three):
            is_caught(lab, conversation, SILENCE)


def test_no_packet_of_a_flushed_flow_slips_through_while_policies_change(lab, tmp_path):
    """A single packet would recreate a UDP flow."""
    lab.load_rules(OPERATOR_TAKES_TIME)
    policies = [lab.write_policy(tmp_path, f"policy_{number}", exception, remember_at_most=size, hooks=hooks, priority=priority)
                for number, (exception, size, hooks, priority) in enumerate([
                    ("drop", 100, "[forward]", -190), ("drop", 200, "[forward]", -194),
                    ("drop", 200, "[forward, input, output]", -190), ("reject", 200, "[input, forward]", -194)])]
    lab.apply(policies[0])
    with Conversation(lab, SERVER4, protocol=UDP) as doomed:
        flush(lab, doomed)
        with Flood(doomed.client):
            for policy in policies * 6:
                lab.apply(policy)
        assert flows_of(lab, doomed) == []
        assert counted(lab, hook="forward", direction="original", protocol="udp") > 1000
        doomed.see(server=SILENCE)


@pytest.mark.parametrize("size", [65536, 500])
def test_a_change_of_policy_does_not_remember_for_longer(lab, tmp_path, size):
    lab.apply(lab.write_policy(tmp_path, "brief", "drop", remember_flushed_for="3s"))
    with Conversation(lab, SERVER4, protocol=UDP) as doomed:
        flush(lab, doomed)
        lab.apply(lab.write_policy(tmp_path, "long", "drop", remember_flushed_for="600s", remember_at_most=size))
        is_caught(lab, doomed, SILENCE)
        wait_until(lambda: gets_through(doomed), "the block ends")


@pytest.mark.parametrize("exception", STREAM_FATES)
@pytest.mark.parametrize("loose", [0, 1])
def test_a_flush_of_more_flows_than_can_be_remembered_catches_all_midstream_packets_for_as_long(lab, tmp_path, loose, exception):
    strictness(lab, loose)
    lab.apply(lab.write_policy(tmp_path, "small", exception, remember_at_most=4, remember_flushed_for="60s"))
    with Conversation(lab, SERVER4) as other, Conversation(lab, SERVER4) as first, Conversation(lab, SERVER4) as second:
        lab.fill(10)
        result = lab.headgate_json("flush", "--filter", "source=10.9.0.1", "--filter", f"source-port={first.port}",
                                   "--filter", f"source-port={second.port}", "--yes")
        assert result["counts"]["flushed"] == 12
        assert result["warnings"]
        windows = {window["protocol"]: window["seconds_left"] for window in status(lab)["windows"]}
        assert 50 <= windows["tcp"] <= 60
        is_caught(lab, first, stream_fate(exception, "all", loose))
        is_caught(lab, second, stream_fate(exception, "all", loose), first="server")
        assert other.loses_nothing()
        with Conversation(lab, SERVER4) as new:
            assert new.loses_nothing()


def test_a_window_stays_through_a_change_of_policy_and_ends_in_time(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "small", "drop", remember_at_most=1, remember_flushed_for="3s"))
    with Conversation(lab, SERVER4) as first, Conversation(lab, SERVER4) as second:
        result = lab.headgate_json("flush", "--protocol", "tcp", "--destination-port", "8080", "--yes")
        assert result["counts"]["flushed"] == 2 and result["warnings"]
        lab.apply(lab.write_policy(tmp_path, "larger", "reject", remember_at_most=100))
        is_caught(lab, first, RESET)
        assert [window["protocol"] for window in status(lab)["windows"]] == ["tcp"]
        wait_until(lambda: status(lab)["windows"] == [], "the window closes")
        assert second.loses_nothing(), "conntrack picks it up"


# as long as its own timeout had left


def timeouts(lab, **seconds):
    """Sets timeouts for packets from now on: tcp_timeout_established=1000."""
    lab.run(GATEWAY, "sysctl", "-qw", *(f"net.netfilter.nf_conntrack_{name}={value}" for name, value in seconds.items()))


def timeouts_left(lab):
    return [int(line.split()[4]) for family in ("ipv4", "ipv6")
            for line in lab.run(GATEWAY, "conntrack", "-L", "-f", family, "-o", "extended").stdout.splitlines()]


def remembered_for(lab):
    """The seconds for which flushed flows are still remembered, of the elements in either direction, as nft(8) lists them."""
    sets = [each["set"] for each in json.loads(ruleset(lab, "-j"))["nftables"] if "set" in each]
    return sorted(element["elem"]["expires"] for each in sets if each["name"].startswith("flushed_")
                  for element in each.get("elem", []))


def about(seconds):
    return [pytest.approx(each, abs=10) for each in sorted(seconds)]


def moment_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds_until(text):
    return (moment_of(text) - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def test_each_flow_is_remembered_as_long_as_its_conntrack_timeout_had_left(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "patient", "drop", remember_flushed_for="connection"))
    assert status(lab)["remember_flushed_for"] == "connection" and "remember_flushed_for_seconds" not in status(lab)
    timeouts(lab, tcp_timeout_established=1000)
    with Conversation(lab, SERVER4) as idle, Conversation(lab, SERVER4, protocol=UDP):
        timeouts(lab, tcp_timeout_established=432000)
        with Conversation(lab, SERVER4) as four, Conversation(lab, SERVER6) as six:
            ping = Ping(lab, SERVER4)
            ping.send()
            assert ping.sees(PATIENCE) == DATA
            left = timeouts_left(lab)
            assert len(left) == 5
            result = lab.headgate_json("flush", "--all", "--yes")
            assert result["counts"]["flushed"] == 5 and "warnings" not in result
            assert remembered_for(lab) == about(left * 2)
            until = [seconds_until(result[key]) for key in ("blocked_until", "last_blocked_until")]
            assert until == about([min(left), max(left)])
            lab.apply(lab.write_policy(tmp_path, "another", "reject", remember_at_most=1000))
            assert remembered_for(lab)[-6:] == about(left * 2)[-6:], "a change of policy keeps the times"
            ping.close()
            for conversation in (idle, four, six):
                is_caught(lab, conversation, RESET)


def test_a_flow_comes_back_when_its_own_timeout_is_over(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "patient", "drop", remember_flushed_for="connection"))
    timeouts(lab, udp_timeout=10, udp_timeout_stream=10)
    with Conversation(lab, SERVER4, protocol=UDP) as doomed:
        flush(lab, doomed)
        is_caught(lab, doomed, SILENCE)
        wait_until(lambda: gets_through(doomed), "the block ends")
        assert status(lab)["remembered_flows"] == 0


def test_a_captured_flow_is_remembered_for_its_timeout_of_now_whatever_the_file_says(lab, tmp_path):
    captured = tmp_path / "capture.json"
    lab.apply(lab.write_policy(tmp_path, "patient", "drop", remember_flushed_for="connection"))
    with Conversation(lab, SERVER4) as doomed:
        capture = lab.headgate_json("capture", "--all")
        for flow in capture["flows"]:
            del flow["timeout_seconds"]
        captured.write_text(json.dumps(capture))
        left = timeouts_left(lab)
        assert lab.headgate_json("flush", "--from-capture", str(captured), "--yes")["counts"]["flushed"] == 1
        assert remembered_for(lab) == about(left * 2)


# a flush and the policy


BLOCKED = r"blocked until (?:\d{4}-\d\d-\d\d )?(\d\d:\d\d:\d\d); later packets are judged by your rules"


def test_a_flush_says_until_when_its_flows_are_blocked(lab):
    lab.apply("drop")
    with Conversation(lab, SERVER4) as doomed, Conversation(lab, SERVER4) as other:
        words = ["flush", "--source-port", str(doomed.port), "-o", "table"]
        assert "blocked" not in lab.headgate(*words, "--dry-run").stdout
        done = lab.headgate(*words, "--yes")
        said = re.search(rf"^1 of \d flows match: 1 flushed, .*\n{BLOCKED}\n(new connections .* rule of the firewall)$",
                         done.stdout, re.MULTILINE)
        assert said, done.stdout
        assert max(map(len, said.group().splitlines())) <= 80
        [operation] = headgate_json(lab, "operations", "list", "--limit", "1")["operations"]
        assert seconds_until(operation["blocked_until"]) == pytest.approx(300, abs=10)
        assert operation["blocked"] is True and "last_blocked_until" not in operation
        assert said.group(1) == moment_of(operation["blocked_until"]).astimezone().strftime("%H:%M:%S")
        for command in ("show", "results"):
            shown = headgate(lab, "operations", command, operation["operation_id"], "-o", "table").stdout
            assert re.search(BLOCKED, shown).group(1) == said.group(1)
        assert other.loses_nothing()


def test_a_flush_whose_flows_come_back_does_not_say_that_they_are_blocked(lab, tmp_path):
    for policy in ("none", "continue"):
        if policy != "none":
            lab.apply(policy)
        with Conversation(lab, SERVER4) as doomed:
            assert "blocked" not in flush(lab, doomed)
    lab.apply(lab.write_policy(tmp_path, "all", "drop", scope="all"))
    with Conversation(lab, SERVER4) as doomed:
        done = lab.headgate("flush", "--source-port", str(doomed.port), "--yes", "-o", "table")
        assert "\nblocked as long as policy all is in force\n" in done.stdout


def test_without_a_policy_a_flush_warns_and_refuses_where_one_is_required(lab):
    with Conversation(lab, SERVER4) as doomed:
        done = lab.headgate("flush", "--all", "--yes", "--require-policy")
        assert done.returncode == 5 and len(done.stderr.splitlines()) == 1
        assert len(flows_of(lab, doomed)) == 1 and doomed.loses_nothing()
        result = flush(lab, doomed)
        assert result["stream_exception_policy"] == "none" and result["warnings"]
        assert doomed.loses_nothing(), "the connection came back"


def test_with_continue_it_warns_and_refuses_while_conntrack_picks_tcp_up(lab):
    lab.apply("continue")
    with Conversation(lab, SERVER4) as doomed:
        strictness(lab, 1)
        assert lab.headgate("flush", "--all", "--yes", "--require-policy").returncode == 5
        assert len(flows_of(lab, doomed)) == 1
        result = flush(lab, doomed)
        assert result["stream_exception_policy"] == "continue" and result["warnings"]
        assert doomed.loses_nothing()
        strictness(lab, 0)
        assert "warnings" not in flush(lab, doomed, "--require-policy")


@pytest.mark.parametrize("policy", STREAM_FATES)
def test_with_a_policy_in_force_there_is_nothing_to_warn_of(lab, policy):
    lab.apply(policy)
    with Conversation(lab, SERVER4) as doomed:
        result = flush(lab, doomed, "--require-policy")
        assert result["stream_exception_policy"] == policy and "warnings" not in result
        assert status(lab)["remembered_flows"] == 1
        is_caught(lab, doomed, STREAM_FATES[policy])


@pytest.mark.parametrize("before", ["none", "drop"])
def test_a_flush_can_make_sure_of_a_policy(lab, before):
    if before != "none":
        lab.apply(before)
    with Conversation(lab, SERVER4) as doomed:
        lab.headgate_json("flush", "--all", "--dry-run", "--stream-exception-policy", "reject")
        assert status(lab)["policy"] == before, "a dry run changes nothing"
        result = flush(lab, doomed, "--stream-exception-policy", "reject", "--require-policy")
        assert result["stream_exception_policy"] == "reject"
        assert result.get("warnings", []) == ([] if before == "none" else ["policy reject replaces drop"])
        is_caught(lab, doomed, RESET)
        assert (status(lab)["policy"], status(lab)["condition"]) == ("reject", "as_applied")


def test_a_flush_does_not_take_back_a_policy_on_all_midstream_packets(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "all", "drop", scope="all"))
    with Conversation(lab, SERVER4) as spared:
        done = lab.headgate("flush", "--all", "--yes", "--stream-exception-policy", "reject")
        assert done.returncode == 5 and "headgate policy apply reject" in done.stderr
        assert status(lab)["policy"] == "all" and len(flows_of(lab, spared)) == 1


def test_a_translated_flow_is_caught_whichever_address_named_it(lab):
    lab.load_rules(MASQUERADE)
    lab.apply("reject")
    with Conversation(lab, SERVER4) as doomed:
        result = lab.headgate_json("flush", "--source", GATEWAY4_OUTSIDE, "--match", "translated", "--yes")
        assert result["counts"]["flushed"] == 1
        is_caught(lab, doomed, RESET, first="server")


def test_a_flow_of_a_zone_is_caught(lab):
    lab.load_rules(ZONE_5_FOR_THE_CLIENT)
    lab.apply("reject")
    for first in ("client", "server"):
        with Conversation(lab, SERVER4) as doomed:
            flush(lab, doomed)
            is_caught(lab, doomed, RESET, first)


def test_what_a_capture_named_is_caught(lab, tmp_path):
    captured = tmp_path / "capture.json"
    lab.apply("reject")
    with Conversation(lab, SERVER4) as four, Conversation(lab, SERVER6) as six:
        captured.write_text(lab.headgate("capture", "--all", "--json").stdout)
        assert lab.headgate_json("flush", "--from-capture", str(captured), "--yes")["counts"]["flushed"] == 2
        is_caught(lab, four, RESET)
        is_caught(lab, six, RESET, first="server")
