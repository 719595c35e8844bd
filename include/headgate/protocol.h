// SPDX-License-Identifier: GPL-2.0-or-later
// Transport protocols by IANA number and name, and the properties that flow filters rely on. Thread-safe.
#pragma once

#include <cstdint>
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

/// Parses a name in any case, or a number from 0 to 255.
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

}  // namespace headgate
