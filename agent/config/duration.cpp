// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/duration.h"

#include <cstdint>
#include <utility>

#include "base/text.h"

namespace headgate::config {
namespace {

using std::chrono::seconds;

/// Removes the unit from the end of a duration; without one, the unit is seconds.
seconds take_unit(std::string_view& text) {
    const auto taken = [&](char letter) {
        if (!text.ends_with(letter)) return false;
        text.remove_suffix(1);
        return true;
    };
    if (taken('d')) return std::chrono::days{1};
    if (taken('h')) return std::chrono::hours{1};
    if (taken('m')) return std::chrono::minutes{1};
    taken('s');
    return seconds{1};
}

}  // namespace

Result<seconds> parse_duration(std::string_view text) {
    auto digits = text;
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    const auto unit = take_unit(digits);
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
        return invalid("\"{}\" is not a duration such as 90s, 5m or 12h", text);
    }
    if (negative) return invalid("{} is negative", text);
    const auto count = parse_unsigned<std::uint64_t>(digits);
    if (!count || *count > static_cast<std::uint64_t>(seconds::max() / unit)) {
        return invalid("{} is longer than a duration can be", text);
    }
    return static_cast<seconds::rep>(*count) * unit;
}

std::string duration_text(seconds duration) {
    const auto whole = [&](seconds unit) { return duration >= unit && duration % unit == seconds{0}; };
    for (const auto& [unit, letter] : {std::pair{seconds{std::chrono::days{1}}, 'd'},
                                       {seconds{std::chrono::hours{1}}, 'h'},
                                       {seconds{std::chrono::minutes{1}}, 'm'}}) {
        if (whole(unit)) return fmt::format("{}{}", duration / unit, letter);
    }
    return fmt::format("{}s", duration.count());
}

}  // namespace headgate::config
