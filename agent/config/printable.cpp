#include "config/printable.h"

#include <Poco/UTF8Encoding.h>

#include <algorithm>

namespace headgate::config {
namespace {

constexpr std::size_t kLongestMessage = 500;

constexpr bool is_unprintable(int character) {
    const auto within = [=](int first, int last) { return first <= character && character <= last; };
    return character < 0x20 || within(0x7F, 0x9F) || within(0x2028, 0x202E) || within(0x2066, 0x2069);
}

}  // namespace

std::optional<std::size_t> find_unprintable(std::string_view text, std::string_view allowed) {
    const Poco::UTF8Encoding utf8;
    for (std::size_t at = 0; at < text.size();) {
        const auto* bytes = reinterpret_cast<const unsigned char*>(text.data() + at);
        const int left = static_cast<int>(std::min<std::size_t>(text.size() - at, 4));
        const int character = utf8.queryConvert(bytes, left);  // negative: not UTF-8
        if (is_unprintable(character) && allowed.find(text[at]) == std::string_view::npos) return at;
        at += static_cast<std::size_t>(utf8.sequenceLength(bytes, left));
    }
    return std::nullopt;
}

std::string to_one_line(std::string message) {
    if (message.size() > kLongestMessage) {
        message.resize(kLongestMessage);
        message += "...";
    }
    std::size_t seen = 0;
    while (const auto next = find_unprintable(std::string_view{message}.substr(seen))) {
        message[seen + *next] = '?';
        seen += *next + 1;
    }
    return message;
}

}  // namespace headgate::config
