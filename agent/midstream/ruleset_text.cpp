// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/ruleset_text.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <span>
#include <vector>

#include "midstream/flushed_sets.h"
#include "midstream/policy_note.h"

namespace headgate::midstream {
namespace {

constexpr std::array kDirections = {PacketDirection::Original, PacketDirection::Reply, PacketDirection::Any};
constexpr std::array kFamilies = {Family::Ipv4, Family::Ipv6};

/// The protocols that have counters of their own, by their names in nftables and headgate. The rest is `other`.
struct CountedProtocol {
    std::string_view nft, name;
};
constexpr std::array<CountedProtocol, 5> kCounted = {
    {{"tcp", "tcp"}, {"udp", "udp"}, {"sctp", "sctp"}, {"icmp", "icmp"}, {"icmpv6", "icmpv6"}}};
constexpr std::string_view kOther = "other";

/// SCTP chunk types that begin an association (RFC 9260, section 3.2).
constexpr int kInit = 1;
constexpr int kInitAck = 2;

/// The header's name in nftables: `ip` or `ip6`.
constexpr std::string_view header_of(Family family) {
    return family == Family::Ipv4 ? "ip" : "ip6";
}

class RulesetWriter {
  public:
    RulesetWriter(const StreamExceptionPolicy& policy, std::uint32_t generation)
        : policy_(policy), generation_(generation) {}

    std::string write() {
        for (const auto hook : policy_.hooks)
            for (const auto direction : directions())
                declare_counters(hook, direction);
        if (remembers()) text_ += set_declarations(policy_.remember_at_most);
        if (rejects()) write_resets();
        write_exception();
        if (silences()) write_silence();
        for (const auto hook : policy_.hooks)
            write_hook(hook);
        if (remembers()) write_forgetting();
        return std::move(text_);
    }

  private:
    [[nodiscard]] bool remembers() const { return policy_.scope == MidstreamScope::Flushed; }
    [[nodiscard]] bool rejects() const { return policy_.exception == StreamException::Reject; }

    /// Whether packets that conntrack calls invalid, and that belong to no known flushed flow, are dropped instead of
    /// rejected: they may be outside the window of a tracked connection, which a reset would end.
    [[nodiscard]] bool silences() const { return rejects() && (remembers() || !policy_.reject_invalid); }

    /// The directions that the scope can distinguish.
    [[nodiscard]] std::span<const PacketDirection> directions() const {
        return remembers() ? std::span{kDirections} : std::span{kDirections}.last(1);
    }

    template <typename... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
        text_.push_back('\n');
    }

    [[nodiscard]] std::string chain(std::string_view stem) const { return chain_name(stem, generation_); }

    [[nodiscard]] std::string chain(Hook hook, std::string_view part) const {
        return chain(fmt::format("{}_{}", to_string(hook), part));
    }

    [[nodiscard]] std::string counter(Hook hook, PacketDirection direction, std::string_view protocol) const {
        return fmt::format("{}_{}_{}_{}", policy_.name, to_string(hook), to_string(direction), protocol);
    }

    void declare_counters(Hook hook, PacketDirection direction) {
        for (const auto& protocol : kCounted)
            line("counter {} {{}}", counter(hook, direction, protocol.name));
        line("counter {} {{}}", counter(hook, direction, kOther));
    }

    /// A reset that answers an invalid packet is invalid itself (nf_reject_ipv4.c, nf_send_reset: it gets the packet's
    /// conntrack entry, and an invalid packet has none), and many rulesets drop invalid output. So it is sent
    /// untracked, recognized by the packet that it answers, which was recorded just before. So are ICMP errors.
    void write_resets() {
        for (const auto family : kFamilies) {
            line(
                "set resets_{} {{ type {}_addr . inet_service . {}_addr . inet_service; flags dynamic,timeout; "
                "timeout 2s; size 65536; }}",
                to_string(family), to_string(family), to_string(family));
        }
        for (const auto family : kFamilies) {
            line("set told_{0} {{ type {0}_addr; flags dynamic,timeout; timeout 2s; size 65536; }}", to_string(family));
        }
        line("chain {} {{", chain("resets"));
        line("type filter hook output priority raw; policy accept;");
        for (const auto family : kFamilies) {
            line("tcp flags & rst == rst {0} saddr . tcp sport . {0} daddr . tcp dport @resets_{1} notrack",
                 header_of(family), to_string(family));
        }
        line("icmp type destination-unreachable icmp code admin-prohibited ip daddr @told_ipv4 notrack");
        line("icmpv6 type destination-unreachable icmpv6 code admin-prohibited ip6 daddr @told_ipv6 notrack");
        line("}}");
    }

    void write_log() {
        if (!policy_.log) return;
        line("limit rate {0}/second burst {0} packets log prefix \"{1}\"", policy_.log->packets_per_second,
             policy_.log->prefix);
    }

    /// The action on a packet that was caught and counted.
    void write_exception() {
        line("chain {} {{", chain(kExceptionChain));
        write_log();
        switch (policy_.exception) {
            case StreamException::Drop:
                line("drop");
                break;
            case StreamException::Reject:
                write_reject();
                break;
            case StreamException::Continue:
                line("accept");
                break;
        }
        line("}}");
    }

    void write_silence() {
        line("chain {} {{", chain(kSilenceChain));
        write_log();
        line("drop");
        line("}}");
    }

    void write_reject() {
        for (const auto family : kFamilies) {
            line("ct state invalid add @resets_{1} {{ {0} daddr . tcp dport . {0} saddr . tcp sport }}",
                 header_of(family), to_string(family));
        }
        line("meta l4proto tcp reject with tcp reset");
        for (const auto family : kFamilies)
            line("ct state invalid add @told_{1} {{ {0} saddr }}", header_of(family), to_string(family));
        // An ICMP error must quote the packet as its sender knows it, before DNAT. (The kernel translates quotations
        // only for confirmed flows: nf_conntrack_proto_icmp.c, nf_conntrack_inet_error.)
        for (const auto family : kFamilies)
            line("ct status dnat {0} daddr set ct original {0} daddr", header_of(family));
        line("ct status dnat udp dport set ct original proto-dst");
        line("reject with icmpx type admin-prohibited");
    }

    void write_hook(Hook hook) {
        for (const auto direction : directions())
            write_counting(hook, direction);
        if (remembers()) {
            for (const auto protocol : kProtocolsWithPorts)
                write_ports_lookup(hook, protocol);
            for (const auto family : kFamilies)
                write_icmp_lookup(hook, family);
        }
        line("chain {} {{", chain(hook, "midstream"));
        line("tcp flags & (fin | syn | rst | ack) == syn return");
        if (remembers()) {
            // INIT must be alone in its packet (RFC 9260, section 6.10); with other chunks after it, it is invalid.
            line("meta l4proto sctp ct state != invalid @th,96,8 {} return", kInit);
            write_dispatch(hook);
            line("meta l4proto {{ tcp, sctp }} meta l4proto @{} goto {}", kWindows, chain(hook, "any"));
        } else {
            // Conntrack creates a flow only for chunks that begin an association or another path of one, such as
            // HEARTBEAT (nf_conntrack_proto_sctp.c, sctp_new).
            line("meta l4proto sctp ct state != invalid return");
            line("meta l4proto {{ tcp, sctp }} goto {}", chain(hook, "any"));
        }
        line("}}");
        write_base(hook);
    }

    /// A packet that conntrack expects is related instead of new: a permanent expectation outlives the flows that it
    /// admitted. Errors and resets are related as well, but have the entry of an existing flow, or go in the other
    /// direction (nf_conntrack_core.c, nf_conntrack_attach).
    void write_base(Hook hook) {
        line("chain {} {{", chain(to_string(hook)));
        line("type filter hook {} priority {}; policy accept;", to_string(hook), policy_.priority);
        line("ct state {{ new, invalid }} jump {}", chain(hook, "midstream"));
        line("ct state related ct direction original ct status ! confirmed jump {}", chain(hook, "midstream"));
        line("}}");
    }

    /// Forgets a tuple as soon as the other side has accepted a new connection on it. Not at its first packet, which a
    /// host could send only to have its old connection forgotten. Until then no packet of the new connection counts as
    /// one of the old: its first is let through, and the answer is established. Every packet passes one of the two
    /// hooks, whatever hooks the policy has, after the operator's rules.
    void write_forgetting() {
        line("chain {} {{", chain("forget"));
        for (const auto& set : all_flushed_sets()) {
            if (set.kind != TupleKind::Ports) continue;
            for (const std::string_view direction : {"original", "reply"}) {
                line(
                    "meta l4proto {{ tcp, sctp }} delete @{0} {{ ct {1} {2} saddr . ct {1} proto-src . ct {1} {2} "
                    "daddr . ct {1} proto-dst . meta "
                    "l4proto }}",
                    name_of(set, policy_.remember_at_most), direction, header_of(set.family));
            }
        }
        line("}}");
        for (const std::string_view hook : {"input", "postrouting"}) {
            line("chain {} {{", chain(fmt::format("begun_{}", hook)));
            line("type filter hook {} priority {}; policy accept;", hook, StreamExceptionPolicy::kLastPriority);
            line("ct state established ct direction reply tcp flags & (fin | syn | rst | ack) == (syn | ack) jump {}",
                 chain("forget"));
            line("ct state established ct direction reply meta l4proto sctp @th,96,8 {} jump {}", kInitAck,
                 chain("forget"));
            line("}}");
        }
    }

    void write_counting(Hook hook, PacketDirection direction) {
        std::string by_protocol;
        std::string names;
        for (const auto& protocol : kCounted) {
            const std::string_view comma = names.empty() ? "" : ", ";
            fmt::format_to(std::back_inserter(by_protocol), "{}{} : \"{}\"", comma, protocol.nft,
                           counter(hook, direction, protocol.name));
            fmt::format_to(std::back_inserter(names), "{}{}", comma, protocol.nft);
        }
        line("chain {} {{", chain(hook, to_string(direction)));
        line("counter name meta l4proto map {{ {} }}", by_protocol);
        line("meta l4proto != {{ {} }} counter name \"{}\"", names, counter(hook, direction, kOther));
        if (direction == PacketDirection::Any && silences()) line("ct state invalid goto {}", chain(kSilenceChain));
        line("goto {}", chain(kExceptionChain));
        line("}}");
    }

    void write_dispatch(Hook hook) {
        std::string jumps;
        for (const auto protocol : kProtocolsWithPorts) {
            const auto name = to_string(protocol);
            fmt::format_to(std::back_inserter(jumps), "{} : jump {}, ", name, chain(hook, name));
        }
        line("meta l4proto vmap {{ {}icmp : jump {}, icmpv6 : jump {} }}", jumps, chain(hook, "icmp_ipv4"),
             chain(hook, "icmp_ipv6"));
        for (const auto& set : all_flushed_sets()) {
            if (set.kind != TupleKind::Other) continue;
            line("ct original {0} saddr . ct original {0} daddr . meta l4proto @{1} goto {2}", header_of(set.family),
                 name_of(set, policy_.remember_at_most), chain(hook, to_string(set.direction)));
        }
    }

    /// A packet with a (new) conntrack entry is looked up as it arrived, regardless of DNAT since. An invalid packet
    /// has no entry, and was not translated.
    void write_ports_lookup(Hook hook, Protocol protocol) {
        line("chain {} {{", chain(hook, to_string(protocol)));
        for (const auto& set : all_flushed_sets()) {
            if (set.kind != TupleKind::Ports) continue;
            line(
                "meta l4proto {0} ct original {1} saddr . ct original proto-src . ct original {1} daddr . "
                "ct original proto-dst . meta l4proto @{2} goto {3}",
                to_string(protocol), header_of(set.family), name_of(set, policy_.remember_at_most),
                chain(hook, to_string(set.direction)));
            line("ct state invalid {0} saddr . th sport . {0} daddr . th dport . meta l4proto @{1} goto {2}",
                 header_of(set.family), name_of(set, policy_.remember_at_most), chain(hook, to_string(set.direction)));
        }
        line("}}");
    }

    /// Conntrack creates flows for requests with an identifier; without an entry, a reply is invalid
    /// (nf_conntrack_proto_icmp.c and nf_conntrack_proto_icmpv6.c, valid_new). An error has the entry of the flow that
    /// it is about.
    void write_icmp_lookup(Hook hook, Family family) {
        const bool v4 = family == Family::Ipv4;
        const auto requests = v4 ? "icmp type { echo-request, timestamp-request, info-request, address-mask-request }"
                                 : "icmpv6 type { echo-request, 139 }";  // 139: node information (RFC 4620)
        line("chain {} {{", chain(hook, fmt::format("icmp_{}", to_string(family))));
        for (const auto& set : all_flushed_sets()) {
            if (set.kind != TupleKind::Icmp || set.family != family) continue;
            const auto name = name_of(set, policy_.remember_at_most);
            const auto caught = chain(hook, to_string(set.direction));
            if (set.direction == PacketDirection::Original) {
                line(
                    "{0} ct original {1} saddr . ct original proto-src . ct original {1} daddr . ct original proto-dst "
                    "@{2} goto {3}",
                    requests, header_of(family), name, caught);
            } else {
                line("ct state invalid {0} saddr . {1} . {0} daddr . {2} @{3} goto {4}", header_of(family), kIcmpId,
                     kIcmpTypeAndCode, name, caught);
            }
        }
        line("}}");
    }

    const StreamExceptionPolicy& policy_;
    std::uint32_t generation_;
    std::string text_;
};

}  // namespace

std::string set_declarations(std::uint32_t size) {
    std::string text;
    for (const auto& set : all_flushed_sets()) {
        // `dynamic`: rules remove elements.
        const std::string_view flags = set.kind == TupleKind::Ports ? "dynamic,timeout" : "timeout";
        text +=
            fmt::format("set {} {{ {}; flags {}; size {}; }}\n", name_of(set, size), key_declaration(set), flags, size);
    }
    return text + fmt::format("set {} {{ type inet_proto; flags timeout; size 256; }}\n", kWindows);
}

std::string chain_name(std::string_view stem, std::uint32_t generation) {
    return generation == 0 ? std::string{stem} : fmt::format("{}_{}", stem, generation);
}

std::string rules_text(const StreamExceptionPolicy& policy, std::uint32_t generation) {
    return RulesetWriter{policy, generation}.write();
}

std::string ruleset_text(const StreamExceptionPolicy& policy, std::uint32_t generation) {
    return fmt::format("chain {} {{ comment \"{}\"; }}\n{}", kNoteChain, note_text(policy, generation),
                       rules_text(policy, generation));
}

}  // namespace headgate::midstream
