// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/protocol.h"

#include <array>

#include "base/text.h"

namespace headgate {
namespace {

struct NamedProtocol {
    std::uint8_t number;
    std::string_view name;
};

/// The first name of a number is printed; further ones are accepted as input.
constexpr std::array kProtocolNames{
    NamedProtocol{1, "icmp"},       NamedProtocol{2, "igmp"},      NamedProtocol{4, "ipip"},
    NamedProtocol{6, "tcp"},        NamedProtocol{17, "udp"},      NamedProtocol{33, "dccp"},
    NamedProtocol{41, "ipv6"},      NamedProtocol{46, "rsvp"},     NamedProtocol{47, "gre"},
    NamedProtocol{50, "esp"},       NamedProtocol{51, "ah"},       NamedProtocol{58, "icmpv6"},
    NamedProtocol{58, "ipv6-icmp"}, NamedProtocol{88, "eigrp"},    NamedProtocol{89, "ospf"},
    NamedProtocol{103, "pim"},      NamedProtocol{112, "vrrp"},    NamedProtocol{115, "l2tp"},
    NamedProtocol{132, "sctp"},     NamedProtocol{136, "udplite"},
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

constexpr auto kTexts = [] {
    std::array<std::string_view, 256> texts{};
    for (const auto& entry : kProtocolNames) {
        if (texts[entry.number].empty()) texts[entry.number] = entry.name;
    }
    return texts;
}();

}  // namespace

std::string_view to_string(Protocol protocol) {
    const auto number = static_cast<std::uint8_t>(protocol);
    return kTexts[number].empty() ? decimal(number) : kTexts[number];
}

Result<Protocol> parse_protocol(std::string_view text) {
    for (const auto& entry : kProtocolNames) {
        if (equal_ignoring_case(entry.name, text)) return Protocol{entry.number};
    }
    const auto number = parse_unsigned<std::uint32_t>(text);
    if (!number) return invalid("\"{}\" is neither a protocol's name nor its number", text);
    if (*number > 255) return invalid("{} is above 255, the highest protocol number", *number);
    return Protocol{static_cast<std::uint8_t>(*number)};
}

}  // namespace headgate
