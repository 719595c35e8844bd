# SPDX-License-Identifier: GPL-2.0-or-later
"""A host sends the end of a connection in packets with a time to live of 1: conntrack sees them, the peer never does.
Conntrack's state of the flow is closed, while data continues and keeps the entry alive."""

import json
import socket

import pytest

from lab import CLIENT, CLIENT4, SERVER, SERVER4, wait_until
from traffic import ACK, FIN, RST, SILENCE, Conversation, SctpAssociation, send_segment, sequence_numbers


def send_in_vain(lab, host, end, flags):
    """Sends a segment of this connection, with valid sequence numbers, that expires on the gateway."""
    send_segment(lab, host, end.socket.getsockname(), end.socket.getpeername(), flags, *sequence_numbers(end.socket), ttl=1)


def records(lab):
    return [json.loads(line) for line in (lab.folder / "flow.json").read_text().splitlines()]


def has_state(lab, state):
    wait_until(lambda: [flow["state"] for flow in lab.conntrack()] == [state], f"conntrack says {state}")


def reset(lab, conversation):
    send_in_vain(lab, CLIENT, conversation.client, RST | ACK)
    has_state(lab, "CLOSE")


def both_end(lab, conversation):
    send_in_vain(lab, CLIENT, conversation.client, FIN | ACK)
    has_state(lab, "FIN_WAIT")
    send_in_vain(lab, SERVER, conversation.server, FIN | ACK)
    has_state(lab, "LAST_ACK")
    send_in_vain(lab, CLIENT, conversation.client, ACK)
    has_state(lab, "TIME_WAIT")


def shut_down(lab, association):
    for end, kind, body, state in ((association.client, 7, bytes(4), "SHUTDOWN_SENT"), (association.server, 8, b"", "SHUTDOWN_ACK_SENT")):
        end.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        end.send_chunk(kind, body)
        end.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 64)
        has_state(lab, state)


def tcp(lab):
    return Conversation(lab, SERVER4)


def sctp(lab):
    return SctpAssociation(lab, CLIENT4, SERVER4)


@pytest.mark.parametrize("begin, play, state", [(tcp, reset, "CLOSE"), (tcp, both_end, "TIME_WAIT"), (sctp, shut_down, "SHUTDOWN_ACK_SENT")])
def test_a_flush_ends_a_flow_that_only_seems_to_be_closed(lab, begin, play, state):
    lab.apply("drop")
    with begin(lab) as conversation:
        play(lab, conversation)
        conversation.exchange()
        has_state(lab, state)
        result = lab.headgate_json("flush", "--all", "--yes")
        assert result["counts"]["flushed"] == 1
        [ended] = result["flows"]
        assert (ended["state"], ended["protocol_state"], ended["outcome"]) == ("CLOSED", state, "flushed")
        [record] = [each for each in records(lab) if each["flow"]["reason"] == "flushed"]
        assert record["flow"]["last_state"] == "CLOSED"
        conversation.client.send()
        conversation.server.send()
        conversation.see(client=SILENCE, server=SILENCE)


def test_a_capture_shows_active_flows_and_reports_how_many_closed_ones_match(lab):
    with Conversation(lab, SERVER4) as conversation:
        reset(lab, conversation)
        alone = lab.headgate_json("capture", "--all", status=3)
        assert alone["flows"] == [] and (alone["counts"]["matched"], alone["counts"]["closed"]) == (0, 1)
        with Conversation(lab, SERVER4, port=8081, server_port=8081):
            shown = lab.headgate_json("capture", "--all")
            assert [flow["destination_port"] for flow in shown["flows"]] == [8081]
            assert shown["counts"]["closed"] == 1
            assert "closed" not in lab.headgate_json("capture", "--destination-port", "8081")["counts"]
            both = lab.headgate_json("capture", "--all", "--state", "ANY")
            assert sorted(flow["state"] for flow in both["flows"]) == ["CLOSED", "ESTABLISHED"]
            assert both["state"] == "ANY" and "closed" not in both["counts"]
            table = lab.headgate("capture", "--all", "--output", "table")
            assert "1 of 2 flows match, and beside them 1 closed (--state ANY shows both)" in table.stdout
            known = lab.headgate("operations", "results", shown["operation_id"], "--json", netns=False)
            assert json.loads(known.stdout)["counts"] == shown["counts"]


def test_a_flush_can_be_narrowed_to_active_flows(lab):
    with Conversation(lab, SERVER4) as conversation, Conversation(lab, SERVER4, port=8081, server_port=8081) as active:
        send_in_vain(lab, CLIENT, conversation.client, RST | ACK)
        wait_until(lambda: sorted(flow["state"] for flow in lab.conntrack()) == ["CLOSE", "ESTABLISHED"], "one is closed")
        dry = lab.headgate_json("flush", "--all", "--dry-run")
        assert sorted(flow["state"] for flow in dry["flows"]) == ["CLOSED", "ESTABLISHED"]
        result = lab.headgate_json("flush", "--all", "--state", "ACTIVE", "--yes")
        assert [flow["source_port"] for flow in result["flows"]] == [active.port] and result["state"] == "ACTIVE"
        exactly = lab.headgate_json("flush", "--from-capture", dry["operation_id"], "--yes")
        assert {flow["outcome"]: flow["state"] for flow in exactly["flows"]} == {"flushed": "CLOSED", "gone": "ESTABLISHED"}
