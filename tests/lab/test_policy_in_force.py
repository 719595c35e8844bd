# SPDX-License-Identifier: GPL-2.0-or-later
"""The policy in force: applied, maintained, reported, counted."""

import json
import subprocess

import pytest

from lab import GATEWAY, SERVER4
from policies import SHIPPED, counted, flush, is_caught, ruleset, status
from test_capture import MASQUERADE
from traffic import SILENCE, UDP, Conversation


@pytest.mark.parametrize("policy", SHIPPED)
def test_the_policies_that_ship(lab, policy):
    expected = {"policy": policy, "stream_exception_policy": policy, "scope": "flushed", "hooks": ["forward", "input"],
                "priority": -195, "remember_flushed_for_seconds": 300, "remember_at_most": 65536}
    listed = json.loads(lab.headgate("policy", "list", "--json", netns=False).stdout)["policies"]
    assert any(expected.items() <= entry.items() for entry in listed)
    assert expected.items() <= json.loads(lab.headgate("policy", "show", policy, "--json", netns=False).stdout).items()
    lab.apply(policy)
    expected |= {"condition": "as_applied", "remembered_flows": 0, "windows": []}
    assert expected.items() <= status(lab).items()


def test_nothing_is_in_force_at_first_and_after_remove(lab):
    before = ruleset(lab)
    for words in ([], ["apply", "reject"], ["remove"], ["remove"]):
        if words:
            assert lab.headgate("policy", *words).returncode == 0
        shown = status(lab)
        if words != ["apply", "reject"]:
            assert (shown["policy"], shown["stream_exception_policy"], shown["condition"]) == ("none", "none", "none")
            assert ruleset(lab) == before


@pytest.mark.parametrize("scope", ["all", "flushed"])
def test_a_policy_that_is_applied_again_changes_nothing(lab, tmp_path, scope):
    policy = lab.write_policy(tmp_path, "twice", "reject", scope=scope, hooks="[input, output, forward]", priority=-180,
                              log="{prefix: 'midstream '}")
    lab.apply(policy)
    before = ruleset(lab, "-a")
    assert 'prefix "midstream ' in before
    lab.apply(policy)
    assert ruleset(lab, "-a") == before, "not even a handle is new"


def test_policies_that_are_applied_at_the_same_time_all_succeed_and_one_is_in_force(lab, tmp_path):
    policies = [lab.write_policy(tmp_path, f"policy_{number}", "drop", scope=scope, remember_at_most=number)
                for number, scope in enumerate(["all", "flushed", "flushed", "all"], 1)]
    for _ in range(5):
        running = [subprocess.Popen(lab.headgate_words("policy", "apply", policy),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for policy in policies]
        messages = [process.communicate()[1] for process in running]
        assert all(process.returncode == 0 for process in running), messages
        assert status(lab)["condition"] == "as_applied"


def test_counters_have_hook_direction_and_protocol_and_stay(lab, tmp_path):
    lab.load_rules(MASQUERADE)
    first = lab.write_policy(tmp_path, "first", "drop", scope="flushed")
    lab.apply(first)
    with Conversation(lab, SERVER4, protocol=UDP) as doomed:
        flush(lab, doomed)
        for end, times in ((doomed.client, 3), (doomed.server, 2)):
            for _ in range(times):
                end.send(b"1234")
        doomed.see(client=SILENCE, server=SILENCE)

        def the_first_policys_counters():
            forward = {"policy": "first", "hook": "forward", "direction": "original", "protocol": "udp"}
            # The server sends to the gateway's own address.
            back = {"policy": "first", "hook": "input", "direction": "reply", "protocol": "udp"}
            return [counted(lab, unit, **which) for which in (forward, back) for unit in ("packets", "bytes")]
        expected = [3, 3 * (28 + 4), 2, 2 * (28 + 4)]
        assert the_first_policys_counters() == expected
        assert counted(lab) == 5, "nothing else was counted"
        lab.apply(first)
        assert the_first_policys_counters() == expected
        lab.apply(lab.write_policy(tmp_path, "second", "drop", scope="flushed", priority=-150))
        assert the_first_policys_counters() == expected
        doomed.client.send()
        doomed.see(server=SILENCE)
        assert the_first_policys_counters() == expected
        assert counted(lab, policy="second", hook="forward", direction="original", protocol="udp") == 1


def test_in_scope_all_a_packets_direction_is_not_known(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "all", "drop", scope="all"))
    with Conversation(lab, SERVER4) as doomed:
        flush(lab, doomed)
        is_caught(lab, doomed, SILENCE)
    assert counted(lab, policy="all", hook="forward", direction="any", protocol="tcp") == counted(lab) >= 2


def test_status_reports_that_another_process_removed_the_table_and_apply_restores_it(lab):
    lab.apply("reject")
    lab.run(GATEWAY, "nft", "flush", "ruleset")
    assert status(lab)["condition"] == "missing"
    assert "apply it again" in lab.headgate("policy", "status").stderr
    assert lab.headgate("flush", "--all", "--yes", "--require-policy").returncode == 5
    lab.apply("reject")
    assert (status(lab)["policy"], status(lab)["condition"]) == ("reject", "as_applied")
    lab.run(GATEWAY, "nft", "flush", "ruleset")
    assert lab.headgate("policy", "remove").returncode == 0
    assert status(lab)["condition"] == "none", "the operator has decided"


def rules_of_headgate(lab):
    listed = json.loads(lab.run(GATEWAY, "nft", "-a", "-j", "list", "table", "inet", "headgate").stdout)["nftables"]
    return [item["rule"] for item in listed if "rule" in item]


def test_status_reports_that_another_process_edited_the_table_and_apply_restores_it(lab):
    lab.apply("reject")
    number = len(rules_of_headgate(lab))
    for index in range(0, number, 10):
        rule = rules_of_headgate(lab)[index]
        lab.run(GATEWAY, "nft", "delete", "rule", "inet", "headgate", rule["chain"], "handle", str(rule["handle"]))
        assert status(lab)["condition"] == "changed", f"without {rule}"
        lab.apply("reject")
        assert status(lab)["condition"] == "as_applied" and len(rules_of_headgate(lab)) == number
    lab.run(GATEWAY, "nft", "insert", "rule", "inet", "headgate", rules_of_headgate(lab)[0]["chain"], "accept")
    assert status(lab)["condition"] == "changed"
    assert lab.headgate("flush", "--all", "--yes", "--require-policy").returncode == 5
