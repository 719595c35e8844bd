# SPDX-License-Identifier: GPL-2.0-or-later
"""What both ends of a flushed TCP connection receive, and what conntrack(8) shows then: every policy and scope,
nf_conntrack_tcp_loose on and off, IPv4 and IPv6, client or server speaking first, with and without address translation.
"""

import pytest

from lab import GATEWAY, Lab, SERVER4, SERVER6
from policies import stream_fate
from traffic import DATA, RESET, SILENCE, Conversation

TRANSLATIONS = {
    "plain": "",
    "masqueraded": """
        table inet nat {
            chain out { type nat hook postrouting priority srcnat; oifname "server" masquerade; }
        }""",
    "dnated": """
        table inet nat {
            chain in {
                type nat hook prerouting priority dstnat;
                ip daddr 10.0.1.1 meta l4proto { tcp, udp } th dport 2222 dnat ip to 10.0.2.2:8080
                ip6 daddr 2001:db8:1::1 meta l4proto { tcp, udp } th dport 2222 dnat ip6 to [2001:db8:2::2]:8080
            }
        }""",
}

# Address and port at which the client reaches the server.
SERVICES = {
    ("plain", "ipv4"): (SERVER4, 8080), ("masqueraded", "ipv4"): (SERVER4, 8080), ("dnated", "ipv4"): ("10.0.1.1", 2222),
    ("plain", "ipv6"): (SERVER6, 8080), ("masqueraded", "ipv6"): (SERVER6, 8080), ("dnated", "ipv6"): ("2001:db8:1::1", 2222),
}


@pytest.fixture(scope="module", params=TRANSLATIONS)
def translation(request):
    return request.param


@pytest.fixture(scope="module")
def hosts(translation, root):
    """One gateway for all cases of a translation: each case has its own port."""
    with Lab(f"policy matrix {translation}") as built:
        built.load_rules(TRANSLATIONS[translation])
        yield built


def fate_of_packets(policy, scope, loose, translation, first):
    """The result of each packet after the flush: it gets through, its sender receives a reset, or nothing."""
    if policy != "continue":
        return stream_fate(policy, scope, loose)
    if translation == "plain":
        return DATA  # with loose 0 it is invalid, untracked, and passes unless the operator drops `ct state invalid`
    # NAT rules apply to the first packet that conntrack considers new, so it must be the client's. An untranslated
    # packet reaches a TCP without that connection, which replies with a reset: the other host's or, for the server of a
    # masqueraded connection and the client of a DNATed one, the gateway's own.
    return DATA if loose and first == "client" else RESET


def entries(lab, family, port):
    return [flow for flow in lab.conntrack("-p", "tcp", family=family)
            if str(port) in (flow["sport"], flow["dport"], flow["reply-sport"], flow["reply-dport"])]


@pytest.mark.parametrize("first", ["client", "server"])
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("loose", [0, 1], ids=["strict", "loose"])
@pytest.mark.parametrize("scope", ["all", "flushed"])
@pytest.mark.parametrize("policy", ["drop", "reject", "continue"])
def test_a_flushed_connection(hosts, translation, policy, scope, loose, family, first, tmp_path):
    second = {"client": "server", "server": "client"}[first]
    service = SERVICES[translation, family]
    fate = fate_of_packets(policy, scope, loose, translation, first)
    hosts.apply(hosts.write_policy(tmp_path, f"{policy}_{scope}", policy, scope=scope))
    hosts.run(GATEWAY, "sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_loose={loose}")
    with Conversation(hosts, *service) as other, Conversation(hosts, *service) as doomed:
        port = doomed.port
        [before] = entries(hosts, family, port)
        result = hosts.headgate_json("flush", "--source-port", str(port), "--protocol", "tcp", "--yes")
        assert result["counts"]["flushed"] == 1

        doomed.end(first).send()
        doomed.see(**{first: SILENCE if fate == DATA else fate, second: DATA if fate == DATA else SILENCE})
        left = entries(hosts, family, port)
        doomed.end(second).send()
        if fate == RESET:
            doomed.see(**{second: RESET})  # the reset has already closed the other end
        else:
            doomed.see(**{first: fate, second: SILENCE})

        if fate == DATA and loose:
            # The new flow's direction is that of the first packet; the translation is the same as before.
            [entry] = entries(hosts, family, port)
            assert entry["state"] == "ESTABLISHED" and "ASSURED" in entry["flags"]
            assert entry["src"] == before["src" if first == "client" else "reply-src"]
            assert first == "server" or entry["reply-dport"] == before["reply-dport"]
        else:
            # Conntrack removes a connection whose only reply is a reset (nf_conntrack_proto_tcp.c, "If only reply is a
            # RST"), including the reversed flow that a server's packet creates under `continue`.
            assert left == entries(hosts, family, port) == []

        assert other.loses_nothing()
        with Conversation(hosts, *service) as new:
            assert new.loses_nothing()
