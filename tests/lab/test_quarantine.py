# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses in quarantine: real traffic, both directions, until the time is over, whatever others do to the ruleset."""

import json
import time

import pytest

from lab import CLIENT, CLIENT4, CLIENT6, GATEWAY, SERVER, SERVER4, SERVER6, wait_until
from test_agent import headgate, headgate_json, start_agent  # noqa: F401
from test_capture import MASQUERADE
from test_operations import audit
from traffic import DATA, PATIENCE, PROHIBITED, RESET, SILENCE, TCP, UDP, Conversation, End, Ping, family_of, open_socket

USAGE, REFUSED = 2, 5
GATEWAY4 = "10.0.1.1"
PUBLISHED = "192.0.2.80"  # translated to the server's

DNAT = """
table inet operator_nat {
    chain prerouting { type nat hook prerouting priority dstnat; ip daddr 192.0.2.80 dnat ip to 10.0.2.2; }
}
"""

STRICT = """
table inet strict {
    chain output { type filter hook output priority filter; ct state invalid drop; }
}
"""

FLOWTABLE = """
table inet fast {
    flowtable offloaded { hook ingress priority filter; devices = { client, server }; }
    chain forward {
        type filter hook forward priority filter; policy accept;
        ct state established flow add @offloaded
    }
}
"""


def quarantine(lab, *words, status=0):
    return lab.headgate_json("quarantine", *words, status=status)["quarantine"]


def refused(lab, *words, status):
    """The message of a command that is refused; nothing is changed."""
    before = ruleset(lab)
    done = lab.headgate("quarantine", *words)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert ruleset(lab) == before
    return done.stderr


def ruleset(lab):
    return lab.run(GATEWAY, "nft", "-s", "list", "ruleset").stdout


def entries(lab):
    return {entry["address"]: entry for entry in quarantine(lab, "list")}


def connects(lab, address, host=CLIENT, port=8080):
    """What a connection attempt sees; a server listens on the port."""
    attempt = open_socket(lab, host, family_of(address), TCP)
    attempt.settimeout(0.5)
    try:
        attempt.connect((address, port))
        return DATA
    except ConnectionRefusedError:
        return RESET
    except TimeoutError:
        return SILENCE
    except OSError:
        return PROHIBITED
    finally:
        attempt.close()


def send_both(conversation, seen):
    """Both ends send, and see this; a datagram or segment arrives at neither end."""
    conversation.client.send()
    conversation.server.send()
    conversation.see(client=seen, server=seen)


@pytest.mark.parametrize("quarantined", ["client", "server"])
@pytest.mark.parametrize("addresses", [(CLIENT4, SERVER4), (CLIENT6, SERVER6)], ids=["ipv4", "ipv6"])
def test_established_and_new_connections_are_kept_away_in_both_directions(lab, addresses, quarantined):
    client, server = addresses
    lab.serve_echo(8081)
    with Conversation(lab, server) as tcp, Conversation(lab, server, protocol=UDP) as udp:
        ping = Ping(lab, server)
        ping.send()
        assert ping.sees(PATIENCE) == DATA
        quarantine(lab, "add", dict(client=client, server=server)[quarantined], "--for", "1h")
        send_both(tcp, SILENCE)
        send_both(udp, SILENCE)
        ping.send()
        assert ping.sees() == SILENCE
        assert connects(lab, server, port=8081) == SILENCE
        [entry] = quarantine(lab, "list")
        assert entry["packets"] >= 6 and entry["bytes"] > 300
        assert 3500 < entry["seconds_left"] <= 3600 and entry["action"] == "drop" and entry["in_force"]
        quarantine(lab, "remove", entry["address"])
        assert quarantine(lab, "list") == []
        assert connects(lab, server, port=8081) == DATA
        ping.send()
        assert ping.sees(PATIENCE) == DATA
        udp.exchange()


def test_others_are_not_touched(lab):
    with Conversation(lab, SERVER4) as conversation:
        quarantine(lab, "add", "10.0.1.3", "10.0.2.128/25", CLIENT6, "--for", "1h")
        assert conversation.loses_nothing()
        assert all(entry["packets"] == 0 for entry in quarantine(lab, "list"))


def test_the_gateway_itself_is_not_reached_and_reaches_nobody(lab):
    lab.serve_echo(8081, host=GATEWAY)
    lab.serve_echo(8081, host=CLIENT)
    assert connects(lab, GATEWAY4, port=8081) == DATA
    quarantine(lab, "add", CLIENT4, "--for", "1h")
    assert connects(lab, GATEWAY4, port=8081) == SILENCE
    assert connects(lab, CLIENT4, host=GATEWAY, port=8081) == SILENCE
    assert lab.run(CLIENT, "ping", "-c1", "-W1", GATEWAY4, check=False).returncode == 1


@pytest.mark.parametrize("addresses", [(CLIENT4, SERVER4), (CLIENT6, SERVER6)], ids=["ipv4", "ipv6"])
def test_reject_answers_whoever_sends(lab, addresses):
    client, server = addresses
    lab.load_rules(STRICT)
    with Conversation(lab, server) as tcp, Conversation(lab, server, protocol=UDP) as udp:
        quarantine(lab, "add", client, "--for", "1h", "--reject")
        send_both(udp, PROHIBITED)
        send_both(tcp, RESET)
    assert connects(lab, server) == RESET
    assert connects(lab, client, host=GATEWAY) == RESET
    assert connects(lab, client, host=SERVER) == RESET


@pytest.mark.parametrize("rules,quarantined", [(MASQUERADE, CLIENT4), (MASQUERADE, SERVER4), (DNAT, CLIENT4), (DNAT, SERVER4),
                                               (DNAT, PUBLISHED)],
                         ids=["masqueraded-client", "masqueraded-server", "dnated-client", "dnated-server", "dnated-published"])
def test_addresses_before_and_behind_nat_are_kept_away(lab, rules, quarantined):
    lab.load_rules(rules)
    reached = PUBLISHED if rules == DNAT else SERVER4
    with Conversation(lab, reached) as tcp, Conversation(lab, reached, protocol=UDP) as udp:
        quarantine(lab, "add", quarantined, "--for", "1h")
        send_both(tcp, SILENCE)
        send_both(udp, SILENCE)


def test_flush_ends_the_flows_of_the_addresses_alone(lab):
    lab.fill(3)
    with Conversation(lab, SERVER4), Conversation(lab, SERVER4, protocol=UDP):
        done = lab.headgate_json("quarantine", "add", CLIENT4, "--for", "1h", "--flush", "--reason", "ticket 4711")
        [flush] = done["flushes"]
        shown = json.loads(lab.headgate("operations", "results", flush, "--json", netns=False).stdout)
        assert shown["counts"]["flushed"] == 2 and {flow["source"] for flow in shown["flows"]} == {CLIENT4}
        assert lab.count() == 3


@pytest.mark.parametrize("rules", ["", MASQUERADE], ids=["plain", "masqueraded"])
def test_flows_in_a_flowtable_are_kept_away_as_well(lab, rules):
    loaded = lab.run(GATEWAY, "nft", "-f", "-", input=FLOWTABLE, check=False)
    if loaded.returncode != 0:
        pytest.skip("this kernel has no flowtables (CONFIG_NF_FLOW_TABLE): " + loaded.stderr.splitlines()[0])
    if rules:
        lab.load_rules(rules)
    with Conversation(lab, SERVER4) as tcp, Conversation(lab, SERVER4, protocol=UDP) as udp:
        tcp.exchange(), udp.exchange()
        wait_until(lambda: [flow for flow in lab.conntrack() if "OFFLOAD" in flow["flags"]], "a flow is offloaded")
        done = lab.headgate("quarantine", "add", CLIENT4, "--for", "1h")
        assert done.returncode == 0 and "in a flowtable" in done.stderr, done.stderr
        for conversation in (tcp, udp):
            conversation.client.send()
            conversation.see(server=SILENCE)
            conversation.server.send()  # without its flow, a masqueraded one is not translated any more: the gateway answers
            conversation.see(client=SILENCE)


def test_an_entry_ends_on_time_and_an_extended_one_later(lab):
    lab.serve_echo(8081)
    quarantine(lab, "add", CLIENT6, "--for", "20s")
    [entry] = quarantine(lab, "extend", CLIENT6, "--for", "1h")
    assert 3590 < entry["seconds_left"] <= 3600
    before = time.monotonic()
    quarantine(lab, "add", CLIENT4, "--for", "5s")
    added = time.monotonic()
    seen = []
    wait_until(lambda: seen.append((time.monotonic(), connects(lab, SERVER4, port=8081))) or seen[-1][1] == DATA, "it ends")
    last_silence, first_data = max(at for at, what in seen if what == SILENCE), time.monotonic()
    assert last_silence < added + 5 and first_data >= before + 5
    assert list(entries(lab)) == [CLIENT6]
    assert connects(lab, SERVER6, port=8081) == SILENCE


def test_overlapping_prefixes_end_each_by_itself(lab):
    lab.serve_echo(8081)
    quarantine(lab, "add", CLIENT4, "10.0.1.0/24", "--for", "1h", "--include-protected")
    quarantine(lab, "add", "10.0.0.0/8", "--for", "1h", "--include-protected", "--wide")
    assert sum(entry["packets"] for entry in entries(lab).values()) == 0
    assert connects(lab, SERVER4, port=8081) == SILENCE
    assert [address for address, entry in entries(lab).items() if entry["packets"]] == [CLIENT4]
    for address in (CLIENT4, "10.0.1.0/24"):
        quarantine(lab, "remove", address)
        assert connects(lab, SERVER4, port=8081) == SILENCE
    quarantine(lab, "remove", "10.0.0.0/8")
    assert connects(lab, SERVER4, port=8081) == DATA


def test_policies_and_the_quarantine_leave_each_other_alone(lab):
    before = ruleset(lab)
    with Conversation(lab, SERVER4, protocol=UDP) as conversation:
        lab.apply("reject")
        quarantine(lab, "add", CLIENT4, "--for", "1h")
        send_both(conversation, SILENCE)
        assert lab.headgate_json("policy", "status")["condition"] == "as_applied"
        lab.apply("drop")
        assert entries(lab)[CLIENT4]["in_force"]
        assert lab.headgate("policy", "remove").returncode == 0
        send_both(conversation, SILENCE)
        lab.apply("reject")
        quarantine(lab, "remove", CLIENT4)
        conversation.exchange()
        assert lab.headgate_json("policy", "status")["condition"] == "as_applied"
    assert lab.headgate("policy", "remove").returncode == 0
    assert ruleset(lab) == before, "nothing is left"


def test_without_an_agent_a_removal_by_another_program_is_shown_and_any_change_repairs_it(lab):
    lab.serve_echo(8081)
    quarantine(lab, "add", CLIENT4, "--for", "1h")
    lab.run(GATEWAY, "nft", "flush", "ruleset")
    listed = lab.headgate("quarantine", "list", "--json")
    assert not json.loads(listed.stdout)["quarantine"][0]["in_force"] and "not in force" in listed.stderr
    assert connects(lab, SERVER4, port=8081) == DATA
    quarantine(lab, "add", CLIENT6, "--for", "1h")
    assert all(entry["in_force"] for entry in entries(lab).values())
    assert connects(lab, SERVER4, port=8081) == SILENCE
    lab.run(GATEWAY, "nft", "flush", "chain", "inet", "headgate_quarantine", "as_sent")
    assert not any(entry["in_force"] for entry in entries(lab).values())
    quarantine(lab, "extend", CLIENT6, "--for", "2h")
    assert all(entry["in_force"] for entry in entries(lab).values())
    assert connects(lab, SERVER4, port=8081) == SILENCE


def test_the_agent_puts_back_what_another_program_removes(lab, start_agent):  # noqa: F811
    agent = start_agent()
    lab.serve_echo(8081)
    added = headgate_json(lab, "quarantine", "add", CLIENT4, "--for", "1h", "--reason", "ticket 4711")
    [entry] = added["quarantine"]
    assert added["firewall"] == "edge" and entry["by"] == "root" and entry["reason"] == "ticket 4711"
    assert connects(lab, SERVER4, port=8081) == SILENCE
    offered = headgate(lab, "candidates", "3", "headgate", "quarantine", "remove", "").stdout
    assert f"{CLIENT4}\tticket 4711" in offered.splitlines()
    lab.run(GATEWAY, "nft", "flush", "ruleset")
    wait_until(lambda: connects(lab, SERVER4, port=8081) == SILENCE, "the quarantine is back")
    assert 3500 < headgate_json(lab, "quarantine", "list")["quarantine"][0]["seconds_left"] < 3600
    assert "in force again" in agent.said()
    lab.run(GATEWAY, "nft", "flush", "chain", "inet", "headgate_quarantine", "as_sent")
    wait_until(lambda: connects(lab, SERVER4, port=8081) == SILENCE, "the rules are back")

    assert agent.stop() == 0
    assert connects(lab, SERVER4, port=8081) == SILENCE
    lab.run(GATEWAY, "nft", "flush", "ruleset")
    start_agent()
    assert connects(lab, SERVER4, port=8081) == SILENCE
    removed = headgate_json(lab, "quarantine", "remove", CLIENT4)["quarantine"]
    assert [each["address"] for each in removed] == [CLIENT4]
    assert connects(lab, SERVER4, port=8081) == DATA
    actions = [(line["action"], line["addresses"], line["caller"]["face"]) for line in audit(lab)]
    assert actions == [("quarantine_add", [CLIENT4], "unix"), *[("quarantine_restore", [CLIENT4], "agent")] * 3,
                       ("quarantine_remove", [CLIENT4], "unix")]


def test_the_audit_log_says_who_and_why(lab):
    quarantine(lab, "add", CLIENT4, "--for", "1h", "--reason", "ticket 4711", "--reject")
    quarantine(lab, "extend", CLIENT4, "--for", "2h")
    refused(lab, "add", GATEWAY4, "--for", "1h", status=REFUSED)
    added, extended, spared = audit(lab)
    assert (added["action"], added["addresses"], added["quarantine"]) == ("quarantine_add", [CLIENT4], "reject")
    assert (added["for_seconds"], added["reason"], added["result"]) == (3600, "ticket 4711", "COMPLETED")
    assert added["caller"]["face"] == "cli" and added["caller"]["user"] == "root"
    assert (extended["action"], extended["for_seconds"]) == ("quarantine_extend", 7200)
    assert (spared["result"], spared["addresses"]) == ("REFUSED", [GATEWAY4])


@pytest.mark.parametrize("words,message", [
    (["gateway", "--for", "1h"], 'ADDRESS: "gateway" is not an IPv4 or IPv6 address'),
    (["10.0.1.2/24", "--for", "1h"], "ADDRESS: 10.0.1.2/24 has host bits set; the prefix is 10.0.1.0/24"),
    (["::ffff:10.0.1.2", "--for", "1h"], "ADDRESS: ::ffff:10.0.1.2 is an IPv4-mapped address, which no packet has: write 10.0.1.2"),
    (["0.0.0.0/0", "--for", "1h"], "ADDRESS: 0.0.0.0/0 is every address"),
    (["::/0", "--for", "1h", "--wide"], "ADDRESS: ::/0 is every address"),
    (["10.0.1.2", "10.0.1.2", "--for", "1h"], "ADDRESS: 10.0.1.2 is named twice"),
    (["10.0.1.2"], "--for: say how long"),
    (["10.0.1.2", "--for", "0"], "--for: 0 s is less than a second"),
    (["10.0.1.2", "--for", "365d"], "--for: 31536000 s is longer than 30 days"),
    (["10.0.1.2", "--for", "soon"], '--for: "soon" is not a duration'),
    (["10.0.1.2", "--for", "1h", "--reason", "a\nb"], "--reason: has a control character"),
])
def test_a_wrong_argument_is_one_error_and_changes_nothing(lab, words, message):
    said = refused(lab, "add", *words, status=USAGE)
    assert message in said and said.count("\n") == 1, said


def test_what_would_cut_off_the_gateway_or_what_is_protected_is_refused(lab):
    lab.configure("protected: ['source=10.255.0.0/16,destination-port=22']\n")
    for address, message in ((GATEWAY4, "is an address of this gateway"), ("10.0.1.0/24", "has an address of this gateway"),
                             ("127.0.0.53", "is a loopback address"), ("10.255.3.4", "is protected: "),
                             ("172.16.0.0/15", "is wider than /16"), ("2001:db8::/47", "is wider than /48")):
        said = refused(lab, "add", address, "--for", "1h", status=REFUSED)
        assert message in said and said.count("\n") == 1, said
    quarantine(lab, "add", "10.255.3.4", "--for", "1h", "--include-protected")
    quarantine(lab, "add", "172.16.0.0/15", "--for", "1h", "--wide")
    assert "is in quarantine already" in refused(lab, "add", "10.255.3.4", "--for", "1h", "--include-protected", status=REFUSED)
    for command in (["remove", "10.0.9.9"], ["extend", "10.0.9.9", "--for", "1h"]):
        assert "10.0.9.9 is not in quarantine" in refused(lab, *command, status=USAGE)


def test_a_capture_shows_the_flows_of_what_is_in_quarantine(lab):
    assert "nothing is in quarantine" in lab.headgate("capture", "--quarantined").stderr
    lab.fill(3)
    with Conversation(lab, SERVER4), Conversation(lab, SERVER6):
        quarantine(lab, "add", CLIENT4, "10.9.9.9", "--for", "1h")
        assert [flow["source"] for flow in lab.capture("--quarantined")] == [CLIENT4]
        assert lab.capture("--quarantined", "--min-age", "1h") == []
    done = lab.headgate("capture", "--quarantined", "--all")
    assert done.returncode == USAGE and "no filter beside them" in done.stderr


def test_thousands_of_entries(lab):
    for network in range(8):
        quarantine(lab, "add", *(f"10.77.{network}.{host}" for host in range(256)), "--for", "1h")
    with Conversation(lab, SERVER4) as conversation:
        assert conversation.loses_nothing()
    listed = entries(lab)
    assert len(listed) == 8 * 256 and all(entry["in_force"] for entry in listed.values())


def test_the_list_in_every_form(lab):
    quarantine(lab, "add", CLIENT4, "2001:db8:99::/64", "--for", "1h", "--reason", "ticket 4711")
    table = lab.headgate("quarantine", "list", "--output", "table").stdout.splitlines()
    assert table[0].split()[:3] == ["ADDRESS", "ACTION", "LEFT"] and table[1].startswith(CLIENT4) and "ticket 4711" in table[1]
    ndjson = [json.loads(line) for line in lab.headgate("quarantine", "list", "--output", "ndjson").stdout.splitlines()]
    assert [each["address"] for each in ndjson] == [CLIENT4, "2001:db8:99::/64"]
    csv = lab.headgate("quarantine", "list", "--output", "csv").stdout.splitlines()
    assert csv[0].startswith("address,action,left,packets,bytes,by,since,reason") and len(csv) == 3
