#include "midstream/flushed_sets.h"

#include <algorithm>

namespace headgate::midstream {
namespace {

constexpr std::array kAllSets = [] {
    std::array<FlushedSet, 12> sets;
    std::size_t next = 0;
    for (const auto kind : {TupleKind::Ports, TupleKind::Echo, TupleKind::Other}) {
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
            return "ports";
        case TupleKind::Echo:
            return "echo";
        case TupleKind::Other:
            return "other";
    }
    return {};
}

/// Appends the fields of a key, each at the next multiple of four bytes.
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

std::optional<TupleKind> kind_of(const FlowTuple& tuple) {
    constexpr std::array<std::uint8_t, 4> kEchoTypes = {0, 8, 128, 129};  // RFC 792; RFC 4443, section 4
    if (has_ports(tuple.protocol)) return TupleKind::Ports;
    if (!is_icmp(tuple.protocol)) return TupleKind::Other;
    return std::ranges::find(kEchoTypes, tuple.icmp_type) != kEchoTypes.end() ? std::optional{TupleKind::Echo}
                                                                              : std::nullopt;
}

SetElement element_for(const FlowTuple& tuple, TupleKind kind, std::chrono::milliseconds timeout) {
    SetElement element;
    element.timeout = timeout;
    KeyWriter key{element};
    key.address(tuple.source);
    if (kind == TupleKind::Ports) key.number16(tuple.source_port);
    key.address(tuple.destination);
    if (kind == TupleKind::Ports) key.number16(tuple.destination_port);
    if (kind == TupleKind::Echo) {
        key.number16(tuple.icmp_id);
    } else {
        key.protocol(tuple.protocol);
    }
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
        case TupleKind::Echo:
            return v4 ? "typeof ip saddr . ip daddr . icmp id" : "typeof ip6 saddr . ip6 daddr . icmpv6 id";
        case TupleKind::Other:
            return fmt::format("type {0} . {0} . inet_proto", address);
    }
    return {};
}

std::vector<SetElements> elements_for(std::span<const FlowRow> rows, std::chrono::milliseconds timeout,
                                      std::uint32_t size) {
    std::array<std::vector<SetElement>, kAllSets.size()> by_set;
    const auto add = [&](const FlowTuple& tuple, TupleKind kind, PacketDirection direction) {
        const auto set = std::ranges::find(kAllSets, FlushedSet{kind, direction, tuple.source.family});
        by_set[static_cast<std::size_t>(set - kAllSets.begin())].push_back(element_for(tuple, kind, timeout));
    };
    for (const auto& row : rows) {
        const auto kind = kind_of(row.flow.original);
        if (!kind) continue;
        add(row.flow.original, *kind, PacketDirection::Original);
        add(row.flow.reply, *kind, PacketDirection::Reply);
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
    element.key_length = 1;  // a key of one field is as long as the field
    return {std::string{kWindows}, {element}};
}

std::optional<Protocol> protocol_of_window(const SetElement& element) {
    if (element.key_length == 0) return std::nullopt;
    return static_cast<Protocol>(element.key[0]);
}

}  // namespace headgate::midstream
