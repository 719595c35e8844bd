// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/printable.h"

#include <algorithm>
#include <cstddef>

namespace headgate {
namespace {

constexpr std::size_t kLongestMessage = 500;

/// The size in bytes of the character at the front; 0 if it is not valid UTF-8 (RFC 3629, section 4).
std::size_t character_size(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t size = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
    if (size == 0 || text.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
    const bool beyond = (lead == 0xED && byte(1) >= 0xA0) || (lead == 0xF4 && byte(1) >= 0x90);
    return overlong || beyond ? 0 : size;
}

}  // namespace

Character first_character(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    const auto size = character_size(text);
    if (size == 0) return {kReplacement, 1, false};
    constexpr unsigned kMasks[] = {0x7F, 0x1F, 0x0F, 0x07};
    char32_t code = lead & kMasks[size - 1];
    for (std::size_t i = 1; i < size; ++i)
        code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    const auto within = [code](char32_t first, char32_t last) { return first <= code && code <= last; };
    const bool is_hidden =
        code < 0x20 || within(0x7F, 0x9F) || within(0x200E, 0x200F) || within(0x2028, 0x202E) || within(0x2066, 0x2069);
    return {code, size, !is_hidden};
}

std::optional<std::size_t> find_unprintable(std::string_view text, std::string_view allowed) {
    for (std::size_t at = 0; at < text.size();) {
        const auto next = first_character(text.substr(at));
        if (!next.is_shown && allowed.find(text[at]) == std::string_view::npos) return at;
        at += next.size;
    }
    return std::nullopt;
}

std::string as_printable(std::string_view text) {
    const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
    if (std::ranges::all_of(text, is_plain)) return std::string{text};
    std::string printable;
    printable.reserve(text.size());
    while (!text.empty()) {
        const auto next = first_character(text);
        printable.append(next.is_shown ? text.substr(0, next.size) : "?");
        text.remove_prefix(next.size);
    }
    return printable;
}

std::string to_one_line(std::string message) {
    if (message.size() > kLongestMessage) {
        message.resize(kLongestMessage);
        message += "...";
    }
    return as_printable(message);
}

std::string bytes_as_text(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80U) text.push_back(static_cast<char>(0xC0U | byte >> 6U));
        text.push_back(byte >= 0x80U ? static_cast<char>(0x80U | (byte & 0x3FU)) : c);
    }
    return text;
}

std::string text_as_bytes(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const unsigned lead = static_cast<unsigned char>(text[i]);
        const bool pair = lead >= 0x80U && i + 1 < text.size();
        bytes.push_back(pair ? static_cast<char>(lead << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU))
                             : text[i]);
    }
    return bytes;
}

}  // namespace headgate
