// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/next_token.h"

#include <algorithm>

#include "base/text.h"

namespace headgate::http::aws {
namespace {

constexpr std::size_t kLongestToken = 4096;

constexpr bool fits_token(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view{":/+="}.find(c) != std::string_view::npos;
}

}  // namespace

std::string next_token(std::string_view list, std::string_view place) {
    auto token = fmt::format("{}:{}", list, place);
    std::ranges::replace(token, '-', '/');
    return token;
}

Result<std::string> parse_next_token(std::string_view list, std::string_view token) {
    if (token.empty() || token.size() > kLongestToken || !std::ranges::all_of(token, fits_token)) {
        return invalid("a token has 1 to {} characters of 0-9A-Za-z:/+=", kLongestToken);
    }
    if (take_until(token, ':') != list) return invalid("not a token that this operation has given");
    std::string place{token};
    std::ranges::replace(place, '/', '-');
    return place;
}

}  // namespace headgate::http::aws
