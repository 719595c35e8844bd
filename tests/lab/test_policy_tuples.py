# SPDX-License-Identifier: GPL-2.0-or-later
"""Which packets a policy attributes to a flushed flow: those of any conntrack state, until a new connection begins on
the same addresses and ports.
"""

import pytest

from lab import CLIENT, CLIENT4, CLIENT6, GATEWAY, SERVER, SERVER4, SERVER6, wait_until
from policies import counted, flows_of, flush, gets_through, status
from traffic import (ACK, DATA, RESET, SILENCE, SYN, UDP, Conversation, End, IcmpMessages, SctpAssociation, SctpEnd,
                     open_socket, send_segment, sequence_numbers)

# Drops invalid packets: NAT does not translate them, and the server itself would reply to them.
MASQUERADED = """
table inet nat {
    chain out { type nat hook postrouting priority srcnat; oifname "server" masquerade; }
    chain strict { type filter hook forward priority 10; ct state invalid drop; }
}"""


def remembered(lab):
    return status(lab)["remembered_flows"]


def flushed(lab, conversation):
    """Flushes the flow, expects that it is remembered, and closes both ends."""
    flush(lab, conversation)
    assert remembered(lab) == 1
    conversation.client.close()
    conversation.server.close()


def send_outside_of_the_window(lab, conversation):
    """Sends from the client such that a reset in reply would end its connection."""
    sequence, expected = sequence_numbers(conversation.client.socket)
    send_segment(lab, CLIENT, (CLIENT4, conversation.port), (SERVER4, 8080), ACK, sequence + 0x40000000, expected, b"stray")


def invalid_packets(lab):
    words = lab.run(GATEWAY, "conntrack", "-S").stdout.split()
    return sum(int(word.split("=")[1]) for word in words if word.startswith("invalid="))


@pytest.mark.parametrize("translation", ["", MASQUERADED], ids=["plain", "masqueraded"])
def test_a_new_connection_on_the_same_ports_is_none_of_the_flushed_one(lab, translation):
    lab.load_rules(translation)
    lab.apply("reject")
    old = Conversation(lab, SERVER4)
    flushed(lab, old)
    with Conversation(lab, SERVER4, source_port=old.port) as new:
        assert remembered(lab) == 0
        caught = counted(lab)
        before = invalid_packets(lab)
        send_outside_of_the_window(lab, new)
        wait_until(lambda: invalid_packets(lab) > before, "conntrack calls the packet invalid")
        assert new.loses_nothing()
        assert counted(lab) == caught


def test_a_connection_from_the_other_side_makes_the_tuple_forgotten_too(lab):
    lab.apply("reject")
    old = Conversation(lab, SERVER4)
    flushed(lab, old)
    with open_socket(lab, CLIENT, 2, 1) as listener, open_socket(lab, SERVER, 2, 1) as caller:
        listener.bind(("", old.port))
        listener.listen()
        caller.bind(("", 8080))
        caller.connect((CLIENT4, old.port))
        assert remembered(lab) == 0


def test_a_connection_to_the_gateway_itself_is_answered_on_the_way_out(lab):
    lab.apply("reject")
    with open_socket(lab, GATEWAY, 2, 1) as listener:
        listener.bind(("", 2222))
        listener.listen()
        for again in range(2):
            with open_socket(lab, CLIENT, 2, 1) as caller:
                caller.bind(("", 20000))
                caller.connect(("10.0.1.1", 2222))
                accepted = End(listener.accept()[0])
                assert remembered(lab) == 0
                lab.headgate_json("flush", "--destination-port", "2222", "--yes")
                assert remembered(lab) == 1
                accepted.close()
                End(caller).close()


def test_a_beginning_that_the_other_side_does_not_accept_forgets_nothing(lab):
    lab.apply("drop")
    with Conversation(lab, SERVER4) as doomed:
        flush(lab, doomed)
        send_segment(lab, CLIENT, (CLIENT4, doomed.port), (SERVER4, 8080), SYN, 1)
        wait_until(lambda: flows_of(lab, doomed), "the beginning is let through")
        doomed.client.send()
        doomed.see(server=SILENCE)
        assert remembered(lab) == 1 and counted(lab, direction="original") > 0


def test_scope_all_answers_invalid_packets_by_silence_by_default(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "all", "reject", scope="all"))
    with Conversation(lab, SERVER4) as healthy:
        send_outside_of_the_window(lab, healthy)
        wait_until(lambda: counted(lab, direction="any") > 0, "the policy catches the packet")
        assert healthy.loses_nothing()
    lab.apply(lab.write_policy(tmp_path, "all", "reject", scope="all", reject_invalid="true"))
    with Conversation(lab, SERVER4) as healthy:
        send_outside_of_the_window(lab, healthy)
        healthy.see(client=RESET)


def test_a_window_never_rejects_what_may_be_of_a_tracked_connection(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "small", "reject", remember_at_most=1))
    with Conversation(lab, SERVER4) as healthy:
        two = [Conversation(lab, SERVER4) for _ in range(2)]
        lab.headgate_json("flush", "--source-port", f"{two[0].port}:{two[1].port}", "--yes")
        assert status(lab)["windows"]
        send_outside_of_the_window(lab, healthy)
        wait_until(lambda: counted(lab, direction="any") > 0, "the policy catches the packet")
        assert healthy.loses_nothing()
        for conversation in two:
            conversation.client.send()
            conversation.see(client=RESET)
            conversation.client.close(), conversation.server.close()


def test_scope_all_lets_a_second_path_of_sctp_begin_by_heartbeat(lab, tmp_path):
    lab.apply(lab.write_policy(tmp_path, "all", "drop", scope="all"))
    with SctpAssociation(lab, CLIENT4, SERVER4):
        client = SctpEnd(lab, CLIENT, SERVER4, 5003, 5000, SctpAssociation.SERVER_TAG)
        server = SctpEnd(lab, SERVER, CLIENT4, 5000, 5003, SctpAssociation.CLIENT_TAG)
        client.send()
        assert server.sees() == SILENCE  # data belongs to no path of the association
        client.send_heartbeat()
        assert server.sees(10) == DATA
        client.close(), server.close()


def test_a_heartbeat_of_a_flushed_association_is_caught_and_a_new_association_is_not(lab):
    lab.apply("drop")
    with SctpAssociation(lab, CLIENT4, SERVER4) as association:
        assert lab.headgate_json("flush", "--protocol", "sctp", "--yes")["counts"]["flushed"] == 1
        association.client.send_heartbeat()
        association.see(server=SILENCE)
        assert remembered(lab) == 1
    with SctpAssociation(lab, CLIENT4, SERVER4):
        assert remembered(lab) == 0


# Requests for which conntrack creates flows, and the replies (nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c).
ICMP_PAIRS = [("echo", 8, 0), ("timestamp", 13, 14), ("information", 15, 16), ("address mask", 17, 18)]
ICMPV6_PAIRS = [("echo", 128, 129), ("node information", 139, 140)]


@pytest.mark.parametrize("server_address, client_address, request_type, reply_type",
                         [(SERVER4, CLIENT4, *types) for _, *types in ICMP_PAIRS] +
                         [(SERVER6, CLIENT6, *types) for _, *types in ICMPV6_PAIRS],
                         ids=[name for name, *_ in ICMP_PAIRS] + [f"{name} of IPv6" for name, *_ in ICMPV6_PAIRS])
def test_every_icmp_flow_is_remembered(lab, server_address, client_address, request_type, reply_type):
    lab.apply("drop")
    family, protocol = ("ipv6", "icmpv6") if ":" in server_address else ("ipv4", "icmp")
    client, server = IcmpMessages(lab, CLIENT, server_address), IcmpMessages(lab, SERVER, client_address)

    def entries():
        return [flow for flow in lab.conntrack("-p", protocol, family=family) if flow["type"] == str(request_type)]

    client.send(request_type, 77)
    wait_until(entries, "conntrack has a flow")
    result = lab.headgate_json("flush", "--protocol", protocol, "--yes")
    assert result["counts"]["flushed"] >= 1
    assert remembered(lab) == result["counts"]["flushed"]
    for end, kind, direction in ((client, request_type, "original"), (server, reply_type, "reply")):
        before = counted(lab, direction=direction)
        end.send(kind, 77)
        wait_until(lambda: counted(lab, direction=direction) > before, f"the {direction} direction is caught")
    assert not entries()
    client.send(request_type, 78)  # another flow
    wait_until(entries, "another identifier is let through")
    client.close(), server.close()


SIP_HELPER = """
table inet telephony {
    ct helper sip { type "sip" protocol udp; }
    chain assign { type filter hook forward priority 10; udp dport 5060 ct helper set "sip"; }
}"""


def sip_message(first_line):
    lines = [first_line, f"Via: SIP/2.0/UDP {CLIENT4}:5060;branch=z9hG4bK1", f"From: <sip:phone@{SERVER4}>;tag=1",
             f"To: <sip:phone@{SERVER4}>", "Call-ID: 1", "CSeq: 1 REGISTER", f"Contact: <sip:phone@{CLIENT4}:7000>",
             "Expires: 3600", "Content-Length: 0"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_flow_behind_a_permanent_expectation_meets_the_policy(lab):
    lab.load_rules(SIP_HELPER)
    lab.apply("drop")
    with Conversation(lab, SERVER4, port=5060, server_port=5060, source_port=5060, protocol=UDP) as registration:
        registration.client.send(sip_message(f"REGISTER sip:{SERVER4} SIP/2.0"))
        registration.see(server=DATA)
        registration.server.send(sip_message("SIP/2.0 200 OK"))
        registration.see(client=DATA)
        expectations = lab.run(GATEWAY, "conntrack", "-L", "expect").stdout
        assert "dport=7000" in expectations and "PERMANENT" in expectations, expectations

        phone, caller = open_socket(lab, CLIENT, 2, 2), open_socket(lab, SERVER, 2, 2)
        phone.bind(("", 7000))
        caller.bind(("", 6000))
        caller.connect((CLIENT4, 7000))
        caller, phone = End(caller), End(phone)
        caller.send()
        assert phone.sees(10) == DATA
        assert lab.headgate_json("flush", "--destination-port", "7000", "--yes")["counts"]["flushed"] == 1
        for again in range(2):
            caller.send()
            assert phone.sees() == SILENCE
        assert not lab.conntrack("-p", "udp", "--dport", "7000")
        assert counted(lab, direction="original") == 2
        caller.close(), phone.close()
