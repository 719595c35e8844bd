// SPDX-License-Identifier: GPL-2.0-or-later
#include "quarantine/quarantine_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "quarantine/quarantine_rules.h"

namespace headgate::quarantine {
namespace {

constexpr std::array kFamilies = {Family::Ipv4, Family::Ipv6};

/// Before connection tracking (NF_IP_PRI_CONNTRACK, -200), so that no flow begins, and before every rule of the
/// operator at the usual priorities; after defragmentation (NF_IP_PRI_CONNTRACK_DEFRAG, -400), to which it makes no
/// difference.
constexpr int kFirst = -350;

/// After destination NAT of packets that this machine sends (NF_IP_PRI_NAT_DST, -100).
constexpr int kAfterNat = -90;

/// Each packet is judged by its addresses as it arrives or is sent, and, where it belongs to a translated flow, by all
/// addresses of this flow: those before and behind the translation. (Priorities and hooks in the kernel's order.)
///
/// The answers to what was rejected have the same addresses. They are let through, untracked: conntrack would call a
/// reset of a connection that it does not know invalid, and many rulesets drop invalid output. A packet that is sent
/// has no input interface. Packets over the loopback interface were judged when they were sent. IPv6 neighbours are
/// found by packets, which IPv4's ARP is not: without them no answer could be sent.
constexpr std::string_view kChains = R"(
chain answer {{
    meta l4proto tcp reject with tcp reset
    reject with icmpx type admin-prohibited
}}
chain rejected {{
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
    meta iif != 0 goto answer
    tcp flags & rst == rst notrack accept
    icmp type destination-unreachable icmp code admin-prohibited notrack accept
    icmpv6 type destination-unreachable icmpv6 code admin-prohibited notrack accept
    goto answer
}}
chain as_sent {{
}}
chain as_tracked {{
}}
chain arriving {{
    type filter hook prerouting priority {0}; policy accept;
    meta iiftype loopback return
    jump as_sent
}}
chain sent {{
    type filter hook output priority {0}; policy accept;
    jump as_sent
}}
chain translated_input {{
    type filter hook input priority {0}; policy accept;
    ct status snat,dnat jump as_tracked
}}
chain translated_forward {{
    type filter hook forward priority {0}; policy accept;
    ct status snat,dnat jump as_tracked
}}
chain translated_output {{
    type filter hook output priority {1}; policy accept;
    ct status snat,dnat jump as_tracked
}}
)";

constexpr std::string_view header_of(Family family) {
    return family == Family::Ipv4 ? "ip" : "ip6";
}

std::string_view verdict_of(QuarantineAction action) {
    return action == QuarantineAction::Drop ? "drop" : "goto rejected";
}

/// One command per map: libnftables compares the elements of each command with all that the map has.
template <typename Element>
std::string elements_text(std::string_view verb, std::span<const KeptEntry> entries, const Element& element) {
    std::map<std::string, std::string> by_map;
    for (const auto& entry : entries) {
        auto& list = by_map[map_name(entry.prefix.address.family, entry.layer)];
        list += (list.empty() ? "" : ", ") + element(entry);
    }
    std::string text;
    for (const auto& [map, list] : by_map)
        text += fmt::format("{} element inet {} {} {{ {} }}\n", verb, kTable, map, list);
    return text;
}

}  // namespace

unsigned free_layer(std::span<const KeptEntry> entries, const Prefix& prefix) {
    std::vector<bool> is_occupied(layers_of(entries) + 1);
    for (const auto& entry : entries)
        if (overlap(entry.prefix, prefix)) is_occupied[entry.layer] = true;
    return static_cast<unsigned>(std::ranges::find(is_occupied, false) - is_occupied.begin());
}

unsigned layers_of(std::span<const KeptEntry> entries) {
    unsigned layers = 0;
    for (const auto& entry : entries)
        layers = std::max(layers, entry.layer + 1);
    return layers;
}

std::string map_name(Family family, unsigned layer) {
    return fmt::format("{}_{}", to_string(family), layer);
}

std::string deletion_text() {
    // Added first, because deleting a missing table fails.
    return fmt::format("add table inet {0}\ndelete table inet {0}\n", kTable);
}

std::string layer_text(unsigned layer) {
    std::string text;
    const auto out = std::back_inserter(text);
    for (const auto family : kFamilies) {
        const auto map = map_name(family, layer);
        fmt::format_to(out, "add map inet {} {} {{ type {}_addr : verdict; flags interval,timeout; counter; }}\n",
                       kTable, map, to_string(family));
        for (const auto* side : {"saddr", "daddr"}) {
            fmt::format_to(out, "add rule inet {} as_sent {} {} vmap @{}\n", kTable, header_of(family), side, map);
            for (const auto* direction : {"original", "reply"}) {
                fmt::format_to(out, "add rule inet {} as_tracked ct {} {} {} vmap @{}\n", kTable, direction,
                               header_of(family), side, map);
            }
        }
    }
    return text;
}

std::string table_text(std::span<const KeptEntry> entries, std::chrono::nanoseconds now) {
    auto text = deletion_text();
    fmt::format_to(std::back_inserter(text), "table inet {} {{", kTable);
    fmt::format_to(std::back_inserter(text), kChains, kFirst, kAfterNat);
    text += "}\n";
    for (unsigned layer = 0; layer < layers_of(entries); ++layer)
        text += layer_text(layer);
    return text + addition_text(entries, now);
}

std::string addition_text(std::span<const KeptEntry> entries, std::chrono::nanoseconds now) {
    return elements_text("add", entries, [&](const KeptEntry& entry) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(entry.until - now);
        return fmt::format("{} timeout {}s{}ms : {}", to_string(entry.prefix), left.count() / 1000, left.count() % 1000,
                           verdict_of(entry.action));
    });
}

std::string removal_text(std::span<const KeptEntry> entries) {
    return elements_text("delete", entries, [](const KeptEntry& entry) { return to_string(entry.prefix); });
}

}  // namespace headgate::quarantine
