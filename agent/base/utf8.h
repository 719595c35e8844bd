// SPDX-License-Identifier: GPL-2.0-or-later
// Validates UTF-8 and detects invisible characters. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace headgate {

/// Encodes each byte as the character of that number (Latin-1), so that any bytes become valid UTF-8; and back.
[[nodiscard]] std::string bytes_as_text(std::string_view bytes);
[[nodiscard]] std::string text_as_bytes(std::string_view text);

/// Stands for bytes that are not valid UTF-8.
inline constexpr char32_t kReplacement = 0xFFFD;

/// The character at the front of a text.
struct Character {
    char32_t code = 0;
    std::size_t size = 0;  ///< in bytes
    /// False for control characters, Unicode line separators and bidirectional controls.
    bool is_shown = true;
};

/// An invalid byte yields kReplacement with size 1 and is_shown false. The text must not be empty.
[[nodiscard]] Character first_character(std::string_view text) noexcept;

/// Makes text fit for one terminal line: each invisible character becomes a question mark.
[[nodiscard]] std::string as_printable(std::string_view text);

}  // namespace headgate
