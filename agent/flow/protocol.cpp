// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/protocol.h"

#include <array>

#include "base/text.h"

namespace headgate {
namespace {

struct NamedProtocol {
    std::uint8_t number;
    std::string_view name;
    std::string_view eve_name;
};

constexpr NamedProtocol kProtocols[] = {
    {1, "icmp", "ICMP"},         {2, "igmp", "IGMP"},   {4, "ipip", "IP-in-IP"},
    {6, "tcp", "TCP"},           {17, "udp", "UDP"},    {33, "dccp", "DCCP"},
    {41, "ipv6", "IPv6"},        {46, "rsvp", "RSVP"},  {47, "gre", "GRE"},
    {50, "esp", "ESP"},          {51, "ah", "AH"},      {58, "icmpv6", "IPv6-ICMP"},
    {88, "eigrp", "EIGRP"},      {89, "ospf", "OSPF"},  {103, "pim", "PIM"},
    {112, "vrrp", "VRRP"},       {115, "l2tp", "L2TP"}, {132, "sctp", "SCTP"},
    {136, "udplite", "UDPLite"},
};

constexpr auto kNumbers = [] {
    std::array<std::array<char, 3>, 256> digits{};
    for (unsigned i = 0; i < 256; ++i) {
        digits[i] = {static_cast<char>('0' + i / 100), static_cast<char>('0' + i / 10 % 10),
                     static_cast<char>('0' + i % 10)};
    }
    return digits;
}();

std::string_view decimal(std::uint8_t number) {
    const std::size_t leading_zeros = number >= 100 ? 0 : number >= 10 ? 1 : 2;
    return std::string_view{kNumbers[number].data(), 3}.substr(leading_zeros);
}

constexpr auto kByNumber = [] {
    std::array<const NamedProtocol*, 256> entries{};
    for (const auto& entry : kProtocols)
        entries[entry.number] = &entry;
    return entries;
}();

Result<std::uint16_t> parse_port(std::string_view text) {
    if (!has_only_digits(text))
        return invalid("\"{}\" is not a port: a number, a range such as 1990:1994, or ANY", text);
    const auto port = parse_unsigned<std::uint16_t>(text);
    if (!port) return invalid("{} is above 65535", text);
    return *port;
}

}  // namespace

std::string_view to_string(Protocol protocol) {
    const auto number = static_cast<std::uint8_t>(protocol);
    return kByNumber[number] != nullptr ? kByNumber[number]->name : decimal(number);
}

std::string_view eve_name(Protocol protocol) {
    const auto number = static_cast<std::uint8_t>(protocol);
    return kByNumber[number] != nullptr ? kByNumber[number]->eve_name : decimal(number);
}

Result<Protocol> parse_protocol(std::string_view text) {
    for (const auto& entry : kProtocols) {
        const bool is_meant = equal_ignoring_case(entry.name, text) || equal_ignoring_case(entry.eve_name, text);
        if (is_meant) return Protocol{entry.number};
    }
    const auto number = parse_unsigned<std::uint32_t>(text);
    if (!number) {
        return invalid("\"{}\" is neither a protocol's name nor its number{}", text,
                       did_you_mean(text, kProtocols, &NamedProtocol::name));
    }
    if (*number > 255) return invalid("{} is above 255, the highest protocol number", *number);
    return Protocol{static_cast<std::uint8_t>(*number)};
}

std::string to_string(const PortRange& range) {
    return range.is_single_port() ? fmt::format("{}", range.first) : fmt::format("{}:{}", range.first, range.last);
}

Result<std::optional<PortRange>> parse_port_range(std::string_view text) {
    if (equal_ignoring_case(text, "any")) return std::nullopt;
    const auto colon = text.find(':');
    ASSIGN_OR_RETURN(auto first, parse_port(text.substr(0, colon)));
    if (colon == std::string_view::npos) return PortRange{first, first};
    ASSIGN_OR_RETURN(auto last, parse_port(text.substr(colon + 1)));
    if (last < first) return invalid("{} ends before it begins; the range is {}:{}", text, last, first);
    return PortRange{first, last};
}

}  // namespace headgate
