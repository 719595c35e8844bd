// UTF-8: the characters of a text, and which of them a reader sees. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace headgate {

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
