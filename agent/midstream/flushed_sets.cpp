// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/flushed_sets.h"

#include <algorithm>

namespace headgate::midstream {
namespace {

constexpr std::array kAllSets = [] {
    std::array<FlushedSet, 12> sets;
    std::size_t next = 0;
    for (const auto kind : {TupleKind::Ports, TupleKind::Icmp, TupleKind::Other}) {
        for (const auto direction : {PacketDirection::Original, PacketDirection::Reply}) {
            for (const auto family : {Family::Ipv4, Family::Ipv6})
                sets[next++] = FlushedSet{kind, direction, family};
        }
    }
    return sets;
}();

std::string_view name_of(TupleKind kind) {
    switch (kind) {
        case TupleKind::Ports:
            return "tuple";
        case TupleKind::Icmp:
            return "icmp";
        case TupleKind::Other:
            return "other";
    }
    return {};
}

/// Appends the fields of a key, each padded to a multiple of four bytes.
class KeyWriter {
  public:
    explicit KeyWriter(SetElement& element) : element_(element) {}

    void address(const Address& address) {
        const std::size_t octets = address_octets(address.family);
        for (std::size_t i = 0; i < octets; ++i)
            put(address.octets[i]);
    }
    void number16(std::uint16_t number) {
        put(static_cast<std::uint8_t>(number >> 8U));
        put(static_cast<std::uint8_t>(number & 0xFFU));
        pad();
    }
    void protocol(Protocol protocol) {
        put(static_cast<std::uint8_t>(protocol));
        pad();
    }

  private:
    void put(std::uint8_t octet) { element_.key[element_.key_length++] = std::byte{octet}; }
    void pad() { element_.key_length = static_cast<std::uint8_t>((element_.key_length + 3U) & ~3U); }

    SetElement& element_;
};

TupleKind kind_of(const FlowTuple& tuple) {
    if (has_ports(tuple.protocol)) return TupleKind::Ports;
    return is_icmp(tuple.protocol) ? TupleKind::Icmp : TupleKind::Other;
}

/// Type and code in two octets, as in the ICMP header.
std::uint16_t type_and_code(const FlowTuple& tuple) {
    return static_cast<std::uint16_t>(tuple.icmp_type << 8U | tuple.icmp_code);
}

SetElement element_for(const FlowTuple& tuple, TupleKind kind, std::chrono::milliseconds timeout) {
    SetElement element;
    element.timeout = timeout;
    KeyWriter key{element};
    const bool has_numbers = kind != TupleKind::Other;
    const bool icmp = kind == TupleKind::Icmp;
    key.address(tuple.source);
    if (has_numbers) key.number16(icmp ? tuple.icmp_id : tuple.source_port);
    key.address(tuple.destination);
    if (has_numbers) key.number16(icmp ? type_and_code(tuple) : tuple.destination_port);
    if (!icmp) key.protocol(tuple.protocol);
    return element;
}

}  // namespace

std::span<const FlushedSet> all_flushed_sets() {
    return kAllSets;
}

std::string name_of(const FlushedSet& set, std::uint32_t size) {
    return fmt::format("{}{}_{}_{}_{}", kFlushedPrefix, name_of(set.kind), to_string(set.direction),
                       to_string(set.family), size);
}

std::string key_declaration(const FlushedSet& set) {
    const bool v4 = set.family == Family::Ipv4;
    const std::string_view address = v4 ? "ipv4_addr" : "ipv6_addr";
    switch (set.kind) {
        case TupleKind::Ports:
            return fmt::format("type {0} . inet_service . {0} . inet_service . inet_proto", address);
        case TupleKind::Icmp:
            // nftables assigns different types to values read from conntrack's tuple and from a header.
            return set.direction == PacketDirection::Original
                       ? fmt::format("type {0} . inet_service . {0} . inet_service", address)
                       : fmt::format("typeof {0} saddr . {1} . {0} daddr . {2}", v4 ? "ip" : "ip6", kIcmpId,
                                     kIcmpTypeAndCode);
        case TupleKind::Other:
            return fmt::format("type {0} . {0} . inet_proto", address);
    }
    return {};
}

std::vector<SetElements> elements_for(std::span<const FlowRow> rows, std::optional<std::chrono::seconds> time,
                                      std::uint32_t size) {
    std::array<std::vector<SetElement>, kAllSets.size()> by_set;
    for (const auto& row : rows) {
        const auto kind = kind_of(row.flow.original);
        const auto timeout = memory_of(row.flow, time);
        const auto add = [&](const FlowTuple& tuple, PacketDirection direction) {
            const auto set = std::ranges::find(kAllSets, FlushedSet{kind, direction, tuple.source.family});
            by_set[static_cast<std::size_t>(set - kAllSets.begin())].push_back(element_for(tuple, kind, timeout));
        };
        add(row.flow.original, PacketDirection::Original);
        add(row.flow.reply, PacketDirection::Reply);
    }
    std::vector<SetElements> result;
    for (std::size_t i = 0; i < kAllSets.size(); ++i) {
        if (!by_set[i].empty()) result.push_back({name_of(kAllSets[i], size), std::move(by_set[i])});
    }
    return result;
}

SetElements window_for(Protocol protocol, std::chrono::milliseconds timeout) {
    SetElement element;
    element.timeout = timeout;
    KeyWriter{element}.protocol(protocol);
    element.key_length = 1;  // a key of a single field is not padded
    return {std::string{kWindows}, {element}};
}

std::optional<Protocol> protocol_of_window(const SetElement& element) {
    if (element.key_length == 0) return std::nullopt;
    return static_cast<Protocol>(element.key[0]);
}

}  // namespace headgate::midstream
