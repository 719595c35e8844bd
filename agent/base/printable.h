// SPDX-License-Identifier: GPL-2.0-or-later
// Checks and sanitizes text for terminals, logs and JSON: UTF-8, and the characters that may be shown. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace headgate {

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

/// The offset of the first byte that is not UTF-8 or that begins an invisible character: a control character, a Unicode
/// line separator, a bidirectional control. Absent if all is printable. `allowed`: exceptions, ASCII only.
[[nodiscard]] std::optional<std::size_t> find_unprintable(std::string_view text, std::string_view allowed = {});

/// Makes text fit for one terminal line: each invisible character becomes a question mark.
[[nodiscard]] std::string as_printable(std::string_view text);

/// Makes a message that quotes untrusted text fit for one terminal line: limited in length, and all printable.
[[nodiscard]] std::string to_one_line(std::string message);

/// Encodes each byte as the character of that number (Latin-1), so that any bytes become valid UTF-8; and back.
[[nodiscard]] std::string bytes_as_text(std::string_view bytes);
[[nodiscard]] std::string text_as_bytes(std::string_view text);

}  // namespace headgate
