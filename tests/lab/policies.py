# SPDX-License-Identifier: GPL-2.0-or-later
"""Helpers of the tests of stream exception policies: which packets are caught, and what headgate reports."""

from lab import GATEWAY
from traffic import DATA, PROHIBITED, RESET, SILENCE

SHIPPED = ["continue", "drop", "reject"]

# What the sender of a caught packet receives, for TCP and for other protocols.
STREAM_FATES = {"drop": SILENCE, "reject": RESET}
OTHER_FATES = {"drop": SILENCE, "reject": PROHIBITED}


def stream_fate(policy, scope, loose=1):
    """With loose 0, all midstream TCP packets are invalid; with scope all, policies do not reject invalid packets."""
    return SILENCE if scope == "all" and not loose else STREAM_FATES[policy]


def strictness(lab, loose):
    lab.run(GATEWAY, "sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_loose={loose}")


def flush(lab, conversation, *words, status=0):
    result = lab.headgate_json("flush", "--source-port", str(conversation.port), "--yes", *words, status=status)
    assert result["counts"]["flushed"] == 1
    return result


def flows_of(lab, conversation):
    return [flow for flow in lab.conntrack_of_both_families()
            if str(conversation.port) in (flow.get(key) for key in ("sport", "dport", "reply-sport", "reply-dport"))]


def is_caught(lab, conversation, fate, first="client"):
    """Expects that packets of the first speaker, then of the other, do not get through and create no flow."""
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


def gets_through(conversation):
    """Whether a datagram of the client gets through. Discards results of an earlier one first."""
    conversation.client.sees(0)
    conversation.client.send()
    return conversation.server.sees(0.1) == DATA
