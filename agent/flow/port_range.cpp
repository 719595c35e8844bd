// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/port_range.h"

#include "base/text.h"

namespace headgate {
namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
    const bool digits_only = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
    if (!digits_only) return invalid("\"{}\" is not a port: a number, a range such as 1990:1994, or ANY", text);
    const auto port = parse_unsigned<std::uint16_t>(text);
    if (!port) return invalid("{} is above 65535", text);
    return *port;
}

}  // namespace

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
