// SPDX-License-Identifier: GPL-2.0-or-later
// Text helpers shared by several parsers. Thread-safe.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <concepts>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <ranges>
#include <span>
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

[[nodiscard]] constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr char to_upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// For ASCII names of protocols and states; independent of the locale.
[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

/// Removes and returns the front of `rest` up to the separator (removed too), or all of it without a separator.
[[nodiscard]] constexpr std::string_view take_until(std::string_view& rest, char separator) {
    const auto end = rest.find(separator);
    const auto part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return part;
}

/// At most so many bytes from the front, without a part of a character (UTF-8).
[[nodiscard]] constexpr std::string_view front_of(std::string_view text, std::size_t size) {
    const auto is_continued = [&] { return (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U; };
    if (size >= text.size()) return text;
    while (size > 0 && is_continued())
        --size;
    return text.substr(0, size);
}

/// For people, in at most two units: `42s`, `3m07s`, `2h05m`, `3d04h`. Never negative.
[[nodiscard]] std::string rounded_duration(std::chrono::seconds duration);

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

/// `; did you mean "capture"?`, to be appended to an error: the word with the fewest letters to change, leave out, add
/// or exchange with their neighbour. Empty if no word is close.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> words);

/// The same for the names of a table's rows.
template <std::ranges::input_range Table, typename Name = std::identity>
[[nodiscard]] std::string did_you_mean(std::string_view word, const Table& table, Name name = {}) {
    std::vector<std::string_view> words;
    std::ranges::transform(table, std::back_inserter(words), name);
    return did_you_mean(word, std::span<const std::string_view>{words});
}

}  // namespace headgate
