# SPDX-License-Identifier: GPL-2.0-or-later
"""Stream exception policies beyond the TCP matrix: other protocols, and together with the operator's own rules."""

import pytest

from lab import CLIENT4, CLIENT6, GATEWAY, SERVER4, SERVER6, wait_until
from policies import (OTHER_FATES, SHIPPED, STREAM_FATES, counted, flows_of, flush, gets_through, is_caught, ruleset, status, stream_fate,
                      strictness)
from test_policy_matrix import SERVICES, TRANSLATIONS
from traffic import DATA, PATIENCE, QUIET, RESET, SILENCE, UDP, Conversation, Ping, SctpAssociation

OPERATOR_DROPS_INVALID = """
table inet operator {
    chain output { type filter hook output priority filter; policy accept; ct state invalid drop; }
}
"""


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
    assert len(lab.conntrack_of_both_families()) == 1

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
    lab.load_rules(OPERATOR_DROPS_INVALID)  # an ICMP error about an invalid packet is invalid, too
    lab.apply(lab.write_policy(tmp_path, "sctp", policy, scope=scope))
    with SctpAssociation(lab, *ends) as doomed:
        assert lab.headgate_json("flush", "--protocol", "sctp", "--yes")["counts"]["flushed"] == 1
        # Without a flow its data is invalid, and invalid packets are not rejected unless they match a flushed flow.
        is_caught(lab, doomed, SILENCE if scope == "all" else OTHER_FATES[policy], first)
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
            is_caught(lab, doomed, stream_fate(policy, scope, loose))
        with Conversation(lab, address, source_port=19001) as again:
            assert again.loses_nothing()
            flush(lab, again)
            is_caught(lab, again, stream_fate(policy, scope, loose), first="server")


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
    keys = {"reject_invalid": "true"} if scope == "all" else {}
    lab.apply(lab.write_policy(tmp_path, "policy", "reject", scope=scope, hooks=hooks, **keys))
    for address in (SERVER4, SERVER6):
        with Conversation(lab, address) as doomed:
            flush(lab, doomed)
            # If the server speaks first after the flush of a masqueraded flow, its packet enters the gateway's input.
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
        # New connections to 8080 are no longer allowed; only established flows continue.
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
