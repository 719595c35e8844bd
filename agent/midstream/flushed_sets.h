// SPDX-License-Identifier: GPL-2.0-or-later
// The sets of the table `inet headgate` that remember flushed flows: which exist, their elements, and the elements of a
// flow. A flow has one in each direction, as its packets arrive: its original tuple from the initiator, its reply tuple
// from the other side. Both are the tuples before any translation, so NAT needs no special treatment.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/flow.h"
#include "headgate/ruleset.h"

namespace headgate::midstream {

/// What identifies a protocol's flows, and so the key of their set.
enum class TupleKind : std::uint8_t {
    Ports,  ///< addresses, ports, protocol
    Icmp,   ///< addresses, type and code, identifier: conntrack creates flows only for ICMP messages with one
    Other,  ///< addresses and protocol
};

/// The protocols of TupleKind::Ports.
inline constexpr std::array kProtocolsWithPorts = {Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Dccp,
                                                   Protocol::Udplite};

/// The nftables expressions for the identifier of an ICMP or ICMPv6 header (RFC 792; for ICMPv6 node information the
/// kernel uses the query type: nf_conntrack_proto_icmpv6.c, icmpv6_pkt_to_tuple), and for its type and code.
inline constexpr std::string_view kIcmpId = "@th,32,16";
inline constexpr std::string_view kIcmpTypeAndCode = "@th,0,16";

struct FlushedSet {
    TupleKind kind = TupleKind::Ports;
    PacketDirection direction = PacketDirection::Original;
    Family family = Family::Ipv4;

    friend bool operator==(const FlushedSet&, const FlushedSet&) = default;
};

[[nodiscard]] std::span<const FlushedSet> all_flushed_sets();

/// `flushed_tuple_original_ipv4_65536`, ... A set's size cannot be changed, so it is part of the name: sets of another
/// size exist beside the old ones until the elements have been copied.
[[nodiscard]] std::string name_of(const FlushedSet& set, std::uint32_t size);

/// Prefix of all their names.
inline constexpr std::string_view kFlushedPrefix = "flushed_";

/// The key in nftables syntax.
[[nodiscard]] std::string key_declaration(const FlushedSet& set);

/// The set of protocols of which every midstream packet is caught for a while.
inline constexpr std::string_view kWindows = "windows";

/// One element in netlink format: the fields of a concatenation, each padded to four bytes
/// (include/net/netfilter/nf_tables.h, NFT_REG32_SIZE).
struct SetElement {
    static constexpr std::size_t kLongestKey = 44;

    std::array<std::byte, kLongestKey> key{};
    std::uint8_t key_length = 0;
    std::chrono::milliseconds timeout{0};  ///< until it is forgotten

    friend bool operator==(const SetElement&, const SetElement&) = default;
};

struct SetElements {
    std::string set;
    std::vector<SetElement> elements;
};

/// The elements that remember these flows in the sets of that size, each for memory_of(flow, time).
[[nodiscard]] std::vector<SetElements> elements_for(std::span<const FlowRow> rows,
                                                    std::optional<std::chrono::seconds> time, std::uint32_t size);

/// The element that opens a window for the protocol.
[[nodiscard]] SetElements window_for(Protocol protocol, std::chrono::milliseconds timeout);

/// The protocol of an element of `windows`.
[[nodiscard]] std::optional<Protocol> protocol_of_window(const SetElement& element);

}  // namespace headgate::midstream
