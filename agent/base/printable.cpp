// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/printable.h"

#include "base/utf8.h"

namespace headgate {
namespace {

constexpr std::size_t kLongestMessage = 500;

}  // namespace

std::optional<std::size_t> find_unprintable(std::string_view text, std::string_view allowed) {
    for (std::size_t at = 0; at < text.size();) {
        const auto next = first_character(text.substr(at));
        if (!next.is_shown && allowed.find(text[at]) == std::string_view::npos) return at;
        at += next.size;
    }
    return std::nullopt;
}

std::string to_one_line(std::string message) {
    if (message.size() > kLongestMessage) {
        message.resize(kLongestMessage);
        message += "...";
    }
    return as_printable(message);
}

}  // namespace headgate
