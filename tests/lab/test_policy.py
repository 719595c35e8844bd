"""Stream exception policies beyond the matrix of TCP: other protocols, the operator's own rules, status and counters, what is
remembered, and how a flush and a policy work together.
"""

import json
import subprocess

import pytest

from lab import CLIENT4, CLIENT6, GATEWAY, GATEWAY4_OUTSIDE, HEADGATE, SERVER4, SERVER6, wait_until
from test_capture import MASQUERADE, ZONE_5_FOR_THE_CLIENT
from test_policy_matrix import SERVICES, TRANSLATIONS
from traffic import DATA, PATIENCE, PROHIBITED, QUIET, RESET, SILENCE, UDP, Conversation, Ping, SctpAssociation, Talking

OPERATOR_DROPS_INVALID = """
table inet operator {
    chain output { type filter hook output priority filter; policy accept; ct state invalid drop; }
}
"""

SHIPPED = ["continue", "drop", "reject"]

# What the sender of a caught packet sees, where the protocol is TCP and where it is another.
STREAM_FATES = {"drop": SILENCE, "reject": RESET}
OTHER_FATES = {"drop": SILENCE, "reject": PROHIBITED}


def strictness(lab, loose):
    lab.run(GATEWAY, "sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_loose={loose}")


def flush(lab, conversation, *words, status=0):
    result = lab.headgate_json("flush", "--source-port", str(conversation.port), "--yes", *words, status=status)
    assert result["counts"]["flushed"] == 1
    return result


def flows_of(lab, conversation):
    return [flow for flow in lab.conntrack() + lab.conntrack(family="ipv6")
            if str(conversation.port) in (flow.get(key) for key in ("sport", "dport", "reply-sport", "reply-dport"))]


def is_caught(lab, conversation, fate, first="client"):
    """Whoever speaks first, and then the other: neither gets through, and nothing comes into the table."""
    speakers = ["client", "server"] if first == "client" else ["server", "client"]
    for speaker, listener in (speakers, reversed(speakers)):
        conversation.end(speaker).send()
        the_listener_is_gone = fate == RESET and speaker != first
        conversation.see(**{speaker: fate} | ({} if the_listener_is_gone else {listener: SILENCE}))
    assert flows_of(lab, conversation) == []


def status(lab):
    return lab.headgate_json("policy", "status")


def counted(lab, unit="packets", **which):
    return sum(counter[unit] for counter in status(lab)["counters"] if which.items() <= counter.items())


def ruleset(lab, *words):
    return lab.run(GATEWAY, "nft", *words, "list", "ruleset").stdout


# protocols


@pytest.mark.parametrize("first", ["client", "server"])
@pytest.mark.parametrize("translation", TRANSLATIONS)
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("policy", OTHER_FATES)
def test_a_flushed_udp_conversation_is_ended(lab, policy, family, translation, first):
    lab.load_rules(TRANSLATIONS[translation])
    lab.apply(policy)
    service = SERVICES[translation, family]
    with Conversation(lab, *service, protocol=UDP) as other, Conversation(lab, *service, protocol=UDP) as doomed:
        flush(lab, doomed)
        is_caught(lab, doomed, OTHER_FATES[policy], first)
        assert other.loses_nothing()
        with Conversation(lab, *service, protocol=UDP) as new:
            assert new.loses_nothing()


@pytest.mark.parametrize("policy", OTHER_FATES)
@pytest.mark.parametrize("address", [SERVER4, SERVER6])
def test_a_flushed_udp_conversation_may_go_on_when_the_time_is_over(lab, tmp_path, address, policy):
    lab.apply(lab.write_policy(tmp_path, "brief", policy, remember_flushed_for="3s"))
    with Conversation(lab, address, protocol=UDP) as doomed:
        flush(lab, doomed)
        is_caught(lab, doomed, OTHER_FATES[policy])
        wait_until(lambda: gets_through(doomed), "the block ends")
        assert status(lab)["remembered_flows"] == 0


def gets_through(conversation):
    """Whether a datagram of the client does. What came of an earlier one is forgotten first."""
    conversation.client.sees(0)
    conversation.client.send()
    return conversation.server.sees(0.1) == DATA


@pytest.mark.parametrize("policy", OTHER_FATES)
@pytest.mark.parametrize("address", [SERVER4, SERVER6])
def test_a_flushed_ping_is_ended(lab, tmp_path, policy, address):
    lab.apply(lab.write_policy(tmp_path, "brief", policy, scope="flushed", remember_flushed_for="3s"))
    doomed, other = Ping(lab, address), Ping(lab, address)
    doomed.send()
    assert doomed.sees(PATIENCE) == DATA
    lab.headgate_json("flush", "--protocol", "icmp", "--protocol", "ipv6-icmp", "--yes")
    other.send()
    assert other.sees(PATIENCE) == DATA, "another identifier is another flow"
    doomed.send()
    assert doomed.sees(PATIENCE if policy == "reject" else QUIET) == OTHER_FATES[policy]
    assert len(lab.conntrack() + lab.conntrack(family="ipv6")) == 1

    def answered():
        doomed.send()
        return doomed.sees(0.1) == DATA
    wait_until(answered, "the block ends")
    doomed.close(), other.close()


@pytest.mark.parametrize("scope", ["all", "flushed"])
@pytest.mark.parametrize("policy", OTHER_FATES)
@pytest.mark.parametrize("first", ["client", "server"])
@pytest.mark.parametrize("ends", [(CLIENT4, SERVER4), (CLIENT6, SERVER6)], ids=["ipv4", "ipv6"])
def test_a_flushed_sctp_association_is_ended(lab, tmp_path, ends, first, policy, scope):
    lab.load_rules(OPERATOR_DROPS_INVALID)  # an ICMP error that answers what is invalid is invalid itself
    lab.apply(lab.write_policy(tmp_path, "sctp", policy, scope=scope))
    with SctpAssociation(lab, *ends) as doomed:
        assert lab.headgate_json("flush", "--protocol", "sctp", "--yes")["counts"]["flushed"] == 1
        is_caught(lab, doomed, OTHER_FATES[policy], first)
    with SctpAssociation(lab, *ends) as new:
        new.exchange()


@pytest.mark.parametrize("loose", [0, 1])
@pytest.mark.parametrize("scope", ["all", "flushed"])
@pytest.mark.parametrize("policy", STREAM_FATES)
def test_a_bare_syn_is_never_touched_even_of_a_tuple_that_was_flushed(lab, tmp_path, policy, scope, loose):
    strictness(lab, loose)
    lab.apply(lab.write_policy(tmp_path, "policy", policy, scope=scope))
    for address in (SERVER4, SERVER6):
        with Conversation(lab, address, source_port=19001) as doomed:
            flush(lab, doomed)
            is_caught(lab, doomed, STREAM_FATES[policy])
        with Conversation(lab, address, source_port=19001) as again:
            assert again.loses_nothing()
            flush(lab, again)
            is_caught(lab, again, STREAM_FATES[policy], first="server")


def test_scope_flushed_leaves_midstream_packets_of_other_flows_alone(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "flushed", "reject", scope="flushed"))
    with Conversation(lab, SERVER4) as lost:
        lab.run(GATEWAY, "conntrack", "-D", "-p", "tcp")
        assert lost.loses_nothing()


def test_scope_all_leaves_other_protocols_and_what_is_not_tracked_alone(lab, tmp_path):
    lab.load_rules("""
        table inet untracked {
            chain in { type filter hook prerouting priority raw; tcp dport 8081 notrack; tcp sport 8081 notrack; }
        }""")
    lab.apply(lab.write_policy(tmp_path, "all", "drop", scope="all", hooks="[forward, input, output]"))
    with Conversation(lab, SERVER4, protocol=UDP) as datagrams, Conversation(lab, SERVER4, 8081, server_port=8081) as untracked:
        flush(lab, datagrams)
        assert datagrams.loses_nothing() and untracked.loses_nothing()


def test_scope_all_catches_midstream_packets_whatever_became_of_their_flow(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "all", "reject", scope="all"))
    with Conversation(lab, SERVER4) as lost:
        lab.run(GATEWAY, "conntrack", "-D", "-p", "tcp")
        is_caught(lab, lost, RESET)


@pytest.mark.parametrize("policy", STREAM_FATES)
@pytest.mark.parametrize("scope", ["all", "flushed"])
def test_the_gateways_own_connections_are_caught_where_the_policy_stands_in_output(lab, tmp_path, scope, policy):
    lab.apply(lab.write_policy(tmp_path, "own", policy, scope=scope, hooks="[output, input]"))
    for first in ("client", "server"):
        with Conversation(lab, SERVER4, client_on=GATEWAY) as doomed:
            flush(lab, doomed)
            is_caught(lab, doomed, STREAM_FATES[policy], first)


# the operator's rules


@pytest.mark.parametrize("packet", ["data", "fin"])
@pytest.mark.parametrize("loose", [0, 1])
@pytest.mark.parametrize("scope", ["all", "flushed"])
@pytest.mark.parametrize("hook", ["forward", "input"])
@pytest.mark.parametrize("hooks", ["[forward, input]", "[forward, input, output]"], ids=["default", "output"])
def test_the_gateways_reset_gets_out_where_the_operator_drops_what_is_invalid(lab, tmp_path, hooks, hook, scope, loose, packet):
    lab.load_rules(OPERATOR_DROPS_INVALID)
    lab.load_rules(TRANSLATIONS["masqueraded" if hook == "input" else "plain"])
    strictness(lab, loose)
    lab.apply(lab.write_policy(tmp_path, "policy", "reject", scope=scope, hooks=hooks))
    for address in (SERVER4, SERVER6):
        with Conversation(lab, address) as doomed:
            flush(lab, doomed)
            # A server that speaks first after a masqueraded flow was flushed reaches the gateway's input.
            speaker = "client" if hook == "forward" else "server"
            doomed.end(speaker).send() if packet == "data" else doomed.end(speaker).send_fin()
            doomed.see(**{speaker: RESET})
    assert counted(lab, hook=hook, protocol="tcp") > 0


@pytest.mark.parametrize("priority", [-199, -150, 0, 100])
@pytest.mark.parametrize("policy", STREAM_FATES)
def test_an_operators_established_accept_changes_nothing(lab, tmp_path, policy, priority):
    lab.load_rules(f"""
        table inet accepting {{
            chain forward {{
                type filter hook forward priority {priority}; policy accept;
                ct state established,related accept
            }}
            chain input {{
                type filter hook input priority {priority}; policy accept;
                ct state established,related accept
            }}
        }}""")
    for scope in ("all", "flushed"):
        lab.apply(lab.write_policy(tmp_path, "policy", policy, scope=scope))
        for first in ("client", "server"):
            with Conversation(lab, SERVER4) as doomed, Conversation(lab, SERVER4) as other:
                flush(lab, doomed)
                is_caught(lab, doomed, STREAM_FATES[policy], first)
                assert other.loses_nothing()


@pytest.mark.parametrize("priority", [-199, 0])
@pytest.mark.parametrize("policy", STREAM_FATES)
def test_a_flowtable_changes_nothing(lab, tmp_path, policy, priority):
    loaded = lab.run(GATEWAY, "nft", "-f", "-", check=False, input=f"""
        table inet fast {{
            flowtable offloaded {{ hook ingress priority filter; devices = {{ client, server }}; }}
            chain forward {{
                type filter hook forward priority {priority}; policy accept;
                ct state established flow add @offloaded
                ct state established accept
            }}
        }}""")
    if loaded.returncode != 0:
        pytest.skip("this kernel has no flowtables (CONFIG_NF_FLOW_TABLE): " + loaded.stderr.splitlines()[0])
    for scope in ("all", "flushed"):
        lab.apply(lab.write_policy(tmp_path, "policy", policy, scope=scope))
        for first in ("client", "server"):
            with Conversation(lab, SERVER4) as doomed, Conversation(lab, SERVER4) as other:
                assert doomed.loses_nothing() and other.loses_nothing()
                wait_until(lambda: "OFFLOAD" in flows_of(lab, doomed)[0]["flags"], "the flow is offloaded")
                flush(lab, doomed)
                is_caught(lab, doomed, STREAM_FATES[policy], first)
                assert other.loses_nothing()


def test_continue_leaves_it_to_the_operators_rules_which_see_a_new_flow(lab):
    lab.apply("continue")
    with Conversation(lab, SERVER4) as doomed, Conversation(lab, SERVER4) as other:
        # What was allowed when these began is allowed no more: only what is established goes on.
        lab.load_rules("add rule inet operator forward ct state new tcp dport 8080 drop")
        flush(lab, doomed)
        doomed.client.send()
        doomed.see(client=SILENCE, server=SILENCE)
        assert flows_of(lab, doomed) == [] and other.loses_nothing()


def test_the_operators_tables_are_never_touched(lab):
    lab.load_rules(TRANSLATIONS["masqueraded"])
    before = ruleset(lab, "-a")
    for policy in SHIPPED:
        lab.apply(policy)
        assert before in ruleset(lab, "-a")
    assert lab.headgate("policy", "remove").returncode == 0
    assert ruleset(lab, "-a") == before


# apply, status, remove


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


def test_counters_tell_hook_direction_and_protocol_and_stay(lab, tmp_path):
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
            # The server speaks to the gateway's own address.
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


def test_status_says_when_somebody_removed_the_table_and_apply_brings_it_back(lab):
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


def test_status_says_when_somebody_edited_the_table_and_apply_mends_it(lab):
    lab.apply("reject")
    number = len(rules_of_headgate(lab))
    for index in range(0, number, 10):
        rule = rules_of_headgate(lab)[index]
        lab.run(GATEWAY, "nft", "delete", "rule", "inet", "headgate", rule["chain"], "handle", str(rule["handle"]))
        assert status(lab)["condition"] == "changed", f"without {rule}"
        lab.apply("reject")
        assert status(lab)["condition"] == "as_applied" and len(rules_of_headgate(lab)) == number
    lab.run(GATEWAY, "nft", "insert", "rule", "inet", "headgate", rule["chain"], "accept")
    assert status(lab)["condition"] == "changed"
    assert lab.headgate("flush", "--all", "--yes", "--require-policy").returncode == 5


# what is remembered


def test_what_was_flushed_under_one_policy_is_known_to_the_next(lab, tmp_path):
    """Also where the memory's size changes with the policy."""
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
        assert status(lab)["policy"] == "large" and status(lab)["condition"] == "as_applied"
        for conversation in (one, two, three):
            is_caught(lab, conversation, SILENCE)


def test_no_packet_of_a_flushed_flow_slips_through_while_policies_change(lab, tmp_path):
    """One would be enough to bring a UDP flow back."""
    policies = [lab.write_policy(tmp_path, f"size_{size}", "drop", remember_at_most=size) for size in (100, 200)]
    lab.apply(policies[0])
    with Conversation(lab, SERVER4, protocol=UDP) as doomed:
        flush(lab, doomed)
        with Talking(doomed.client):
            for policy in policies * 10:
                lab.apply(policy)
        doomed.see(server=SILENCE)
        assert flows_of(lab, doomed) == []


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
        is_caught(lab, first, STREAM_FATES[exception])
        is_caught(lab, second, STREAM_FATES[exception], first="server")
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


# a flush and the policy


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
        assert result.get("warnings", []) == ([] if before == "none" else ["policy reject takes the place of drop"])
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
