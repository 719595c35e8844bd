// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace headgate {
namespace {

/// `none of a, b and c`, `neither a nor b`.
std::string none_of(std::span<const std::string_view> names) {
    if (names.size() == 2) return fmt::format("neither {} nor {}", names[0], names[1]);
    return fmt::format("none of {} and {}", fmt::join(names.first(names.size() - 1), ", "), names.back());
}

}  // namespace

Result<std::size_t> find_name(std::span<const std::string_view> names, std::string_view text, LetterCase letter_case) {
    const auto found = std::ranges::find_if(names, [&](std::string_view name) {
        return letter_case == LetterCase::Exact ? name == text : equal_ignoring_case(name, text);
    });
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    return invalid("\"{}\" is {}", text, none_of(names));
}

}  // namespace headgate
