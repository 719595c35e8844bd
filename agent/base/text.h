// SPDX-License-Identifier: GPL-2.0-or-later
// Text helpers shared by several parsers. Thread-safe.
#pragma once

#include <charconv>
#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headgate {

/// Converts the whole text to a number; absent if it has a sign, spaces or other characters, or overflows.
template <std::unsigned_integral T>
[[nodiscard]] std::optional<T> parse_unsigned(std::string_view text, int base = 10) {
    T value{};
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Of ASCII; independent of the locale.
[[nodiscard]] constexpr bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// For ASCII names of protocols and states; independent of the locale.
[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

/// Removes and returns the front of `rest` up to the separator (removed too), or all of it without a separator.
[[nodiscard]] constexpr std::string_view take_until(std::string_view& rest, char separator) {
    const auto end = rest.find(separator);
    const auto part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return part;
}

/// The digits of a number, at least one, and nothing else.
[[nodiscard]] constexpr bool has_only_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Returns the text without leading and trailing spaces and tabs.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Joins parts, each of which may be any text, to one key, such as `rest:token:on-call:4711`. Different parts result in
/// different keys: a colon within a part is written as `%3A`, a percent sign as `%25`.
[[nodiscard]] std::string compound_key(std::initializer_list<std::string_view> parts);

/// The word with the fewest letters to change, leave out, add or exchange with their neighbour; empty if none is close.
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string>& words);

/// `; did you mean "capture"?`, to be appended to an error; empty if no word is close.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& words);

}  // namespace headgate
