// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/resource_names.h"

#include <algorithm>

#include "headgate/stream_exception_policy.h"

#include "base/printable.h"

namespace headgate {
namespace {

constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

Result<std::string> parse_resource_name(std::string_view text) {
    if (text.empty() || text.size() > kLongestName) {
        return invalid("a name has 1 to {} characters, not {}", kLongestName, text.size());
    }
    if (!std::ranges::all_of(text, fits_name))
        return invalid("\"{}\" is not made of letters, digits and - alone", text);
    return std::string{text};
}

Result<std::string> parse_policy_name(std::string_view text) {
    constexpr auto kLongest = StreamExceptionPolicy::kLongestName;
    const auto fits = [](char c) { return fits_name(c) || c == '_'; };
    if (!text.empty() && text.size() <= kLongest && is_letter(text.front()) && std::ranges::all_of(text, fits)) {
        return std::string{text};
    }
    return invalid("{}",
                   to_one_line(fmt::format(
                       "\"{}\" can't be a policy's name: letters, digits, - and _, beginning with a letter, {} at most",
                       text, kLongest)));
}

}  // namespace headgate
