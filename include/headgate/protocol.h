// SPDX-License-Identifier: GPL-2.0-or-later
// Transport protocols by IANA number and name, with the properties that flow filters rely on; and ports, in host byte
// order. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate {

/// IANA protocol number. The named ones are those that conntrack treats specially.
enum class Protocol : std::uint8_t {
    Icmp = 1,
    Tcp = 6,
    Udp = 17,
    Dccp = 33,
    Gre = 47,
    Icmpv6 = 58,
    Sctp = 132,
    Udplite = 136,
};

/// The lower-case name, or the number if there is no name in use.
[[nodiscard]] std::string_view to_string(Protocol protocol);

/// The name in Suricata's records (util-proto-name.c, known_proto): `TCP`, `IPv6-ICMP`; or the number.
[[nodiscard]] std::string_view eve_name(Protocol protocol);

/// Parses a name of either kind, in any case, or a number from 0 to 255.
[[nodiscard]] Result<Protocol> parse_protocol(std::string_view text);

/// Whether ports identify the protocol's flows.
[[nodiscard]] constexpr bool has_ports(Protocol protocol) {
    switch (protocol) {
        case Protocol::Tcp:
        case Protocol::Udp:
        case Protocol::Dccp:
        case Protocol::Sctp:
        case Protocol::Udplite:
            return true;
        default:
            return false;
    }
}

[[nodiscard]] constexpr bool is_icmp(Protocol protocol) {
    return protocol == Protocol::Icmp || protocol == Protocol::Icmpv6;
}

/// Whether conntrack keeps a state machine for the protocol. For the others it only knows whether a reply was seen
/// (nf_conntrack_proto_{tcp,sctp,dccp}.c: the only ones with a to_nlattr).
[[nodiscard]] constexpr bool has_protocol_state(Protocol protocol) {
    return protocol == Protocol::Tcp || protocol == Protocol::Sctp || protocol == Protocol::Dccp;
}

struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 65535;  ///< inclusive; not below `first`

    [[nodiscard]] constexpr bool contains(std::uint16_t port) const noexcept { return first <= port && port <= last; }
    [[nodiscard]] constexpr bool is_single_port() const noexcept { return first == last; }

    friend bool operator==(const PortRange&, const PortRange&) = default;
};

[[nodiscard]] std::string to_string(const PortRange& range);  ///< `80` or `1990:1994`

/// Parses `80`, `1990:1994`, or `ANY` in any case, which gives no range.
[[nodiscard]] Result<std::optional<PortRange>> parse_port_range(std::string_view text);

}  // namespace headgate
