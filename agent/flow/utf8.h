// UTF-8, for what must hold nothing else, and what of it a reader sees. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace headgate {

/// What is not UTF-8 is replaced (U+FFFD): names and messages may hold any bytes, JSON text may not (RFC 8259, 8.1).
[[nodiscard]] std::string as_utf8(std::string_view text);

/// Any bytes as a text that is UTF-8, and back: each byte stands as the character of that number (Latin-1).
[[nodiscard]] std::string bytes_as_text(std::string_view bytes);
[[nodiscard]] std::string text_as_bytes(std::string_view text);

/// Stands for what is not UTF-8.
inline constexpr char32_t kReplacement = 0xFFFD;

/// A character at the front of a text.
struct Character {
    char32_t code = 0;
    std::size_t size = 0;  ///< bytes
    /// No control character, no other end of a line, no mark that turns the direction of writing.
    bool is_shown = true;
};

/// What is not UTF-8 is kReplacement, of one byte, and is not shown as it is. The text is not empty.
[[nodiscard]] Character first_character(std::string_view text) noexcept;

/// Fit for one line of a terminal: what is not shown becomes a question mark.
[[nodiscard]] std::string as_printable(std::string_view text);

}  // namespace headgate
