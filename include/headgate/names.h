// SPDX-License-Identifier: GPL-2.0-or-later
// The names of an enum's values: one table beside each enum, for printing and parsing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "headgate/result.h"

namespace headgate {

/// The names of an enum's values, in the order of its enumerators, which count from 0. Specialised beside each enum.
template <typename Enum>
inline constexpr std::array<std::string_view, 0> kNames{};

template <typename... Texts>
[[nodiscard]] constexpr std::array<std::string_view, sizeof...(Texts)> name_list(const Texts&... texts) {
    return {texts...};
}

template <typename Enum>
concept Named = std::is_enum_v<Enum> && !kNames<Enum>.empty();

template <Named Enum>
[[nodiscard]] constexpr std::string_view to_string(Enum value) {
    const auto index = static_cast<std::size_t>(value);
    return index < kNames<Enum>.size() ? kNames<Enum>[index] : std::string_view{};
}

enum class LetterCase : std::uint8_t { Exact, Ignored };

/// The index of the name; an error lists all names: `"x" is none of a, b and c`.
[[nodiscard]] Result<std::size_t> find_name(std::span<const std::string_view> names, std::string_view text,
                                            LetterCase letter_case);

template <Named Enum>
[[nodiscard]] Result<Enum> parse_name(std::string_view text) {
    return find_name(kNames<Enum>, text, LetterCase::Exact).map([](auto index) { return static_cast<Enum>(index); });
}

/// For names typed by users: `new` is NEW.
template <Named Enum>
[[nodiscard]] Result<Enum> parse_name_in_any_case(std::string_view text) {
    return find_name(kNames<Enum>, text, LetterCase::Ignored).map([](auto index) { return static_cast<Enum>(index); });
}

}  // namespace headgate
