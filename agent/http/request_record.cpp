// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/request_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"

namespace headgate::http {
namespace {

constexpr std::size_t kLongestWord = 200;

/// Text from a client as one word of bounded length.
std::string as_word(std::string_view text) {
    auto word = to_one_line(std::string{text.substr(0, kLongestWord)});
    if (text.size() > kLongestWord) word += "...";
    std::ranges::replace(word, ' ', '?');
    return word;
}

std::string who(const Caller& caller) {
    auto line = as_word(caller.face);
    if (!caller.user.empty()) line += ":" + as_word(caller.user);
    if (!caller.source_address.empty()) line += "@" + as_word(caller.source_address);
    return line;
}

}  // namespace

std::string access_line(const RequestRecord& record) {
    const bool path_says_it = record.route.empty() || record.route.starts_with('/');
    const std::chrono::duration<double, std::milli> took = record.duration;
    return fmt::format("{} {} {} {}{}{} {} bytes {:.1f} ms{}", who(record.caller), as_word(record.method),
                       as_word(record.path), path_says_it ? "" : record.route, path_says_it ? "" : " ", record.status,
                       record.bytes, took.count(), record.cut ? " cut" : "");
}

}  // namespace headgate::http
