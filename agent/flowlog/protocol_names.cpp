// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/protocol_names.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace headgate::flowlog {
namespace {

struct NamedProtocol {
    std::uint8_t number;
    std::string_view name;
};

/// The protocols that to_string(Protocol) names; it prints all others as numbers.
constexpr std::array kNames{
    NamedProtocol{1, "ICMP"},      NamedProtocol{2, "IGMP"},   NamedProtocol{4, "IP-in-IP"},
    NamedProtocol{6, "TCP"},       NamedProtocol{17, "UDP"},   NamedProtocol{33, "DCCP"},
    NamedProtocol{41, "IPv6"},     NamedProtocol{46, "RSVP"},  NamedProtocol{47, "GRE"},
    NamedProtocol{50, "ESP"},      NamedProtocol{51, "AH"},    NamedProtocol{58, "IPv6-ICMP"},
    NamedProtocol{88, "EIGRP"},    NamedProtocol{89, "OSPF"},  NamedProtocol{103, "PIM"},
    NamedProtocol{112, "VRRP"},    NamedProtocol{115, "L2TP"}, NamedProtocol{132, "SCTP"},
    NamedProtocol{136, "UDPLite"},
};

constexpr auto kByNumber = [] {
    std::array<std::string_view, 256> names{};
    for (const auto& entry : kNames)
        names[entry.number] = entry.name;
    return names;
}();

}  // namespace

std::string_view protocol_name(Protocol protocol) {
    const auto name = kByNumber[static_cast<std::uint8_t>(protocol)];
    return name.empty() ? to_string(protocol) : name;
}

Result<Protocol> parse_protocol_name(std::string_view text) {
    const auto found = std::ranges::find(kNames, text, &NamedProtocol::name);
    return found != kNames.end() ? Protocol{found->number} : parse_protocol(text);
}

}  // namespace headgate::flowlog
