// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/message.h"

#include <strings.h>

#include <algorithm>

#include "base/text.h"

namespace headgate::http {
namespace {

/// A media range and its quality value in thousandths: a qvalue has three decimals at most.
struct MediaRange {
    std::string_view type;
    unsigned quality = 1000;
};

/// `1`, `0.5`, `0.875`: RFC 9110, section 12.4.2.
std::optional<unsigned> parse_quality(std::string_view text) {
    const auto whole = take_until(text, '.');
    const auto fraction = text;
    if ((whole != "0" && whole != "1") || fraction.size() > 3) return std::nullopt;
    unsigned thousandths = whole == "1" ? 1000 : 0;
    unsigned place = 100;
    for (const char digit : fraction) {
        if (digit < '0' || digit > '9') return std::nullopt;
        thousandths += static_cast<unsigned>(digit - '0') * place;
        place /= 10;
    }
    return thousandths <= 1000 ? std::optional{thousandths} : std::nullopt;
}

std::optional<MediaRange> parse_range(std::string_view text) {
    MediaRange range{trimmed(take_until(text, ';'))};
    if (range.type.find('/') == std::string_view::npos) return std::nullopt;
    while (!text.empty()) {
        auto value = take_until(text, ';');
        const auto name = trimmed(take_until(value, '='));
        if (!equal_ignoring_case(name, "q")) continue;
        const auto quality = parse_quality(trimmed(value));
        if (!quality) return std::nullopt;
        range.quality = *quality;
    }
    return range;
}

std::vector<MediaRange> parse_accept(std::string_view accept) {
    std::vector<MediaRange> ranges;
    while (!accept.empty()) {
        if (const auto range = parse_range(take_until(accept, ','))) ranges.push_back(*range);
    }
    return ranges;
}

/// Specificity of a media range for a type: 3 for the exact type, 2 for `type/*`, 1 for `*/*`, 0 for no match.
unsigned closeness(std::string_view range, std::string_view type) {
    if (equal_ignoring_case(range, type)) return 3;
    if (range == "*/*") return 1;
    const auto half = range.substr(0, range.find('/') + 1);
    const bool is_half = range.size() == half.size() + 1 && range.ends_with('*');
    return is_half && equal_ignoring_case(half, type.substr(0, type.find('/') + 1)) ? 2 : 0;
}

/// The quality of the most specific range that matches.
unsigned quality_of(std::string_view type, const std::vector<MediaRange>& ranges) {
    unsigned closest = 0;
    unsigned quality = 0;
    for (const auto& range : ranges) {
        const auto how_close = closeness(range.type, type);
        if (how_close <= closest) continue;
        closest = how_close;
        quality = range.quality;
    }
    return quality;
}

}  // namespace

bool IgnoringCase::operator()(std::string_view a, std::string_view b) const {
    const int order = ::strncasecmp(a.data(), b.data(), std::min(a.size(), b.size()));
    return order < 0 || (order == 0 && a.size() < b.size());
}

std::string_view Request::header(std::string_view name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

bool is_media_type(std::string_view content_type, std::string_view media_type) {
    return equal_ignoring_case(trimmed(take_until(content_type, ';')), media_type);
}

std::optional<std::string_view> preferred_type(std::string_view accept, std::span<const std::string_view> offered) {
    if (trimmed(accept).empty()) return offered.front();
    const auto ranges = parse_accept(accept);
    std::optional<std::string_view> preferred;
    unsigned best = 0;
    for (const auto type : offered) {
        const auto quality = quality_of(type, ranges);
        if (quality <= best) continue;
        best = quality;
        preferred = type;
    }
    return preferred;
}

Response json_answer(int status, std::string body) {
    Response answer;
    answer.status = status;
    answer.content_type = "application/json";
    answer.body = std::move(body);
    if (!answer.body.ends_with('\n')) answer.body.push_back('\n');
    return answer;
}

Result<std::string> idempotency_token(const Request& request, std::string_view field, std::string_view api) {
    constexpr std::size_t kLongest = 255;
    const auto token = request.header(field);
    const auto is_visible = [](char c) { return c > ' ' && c < 0x7F; };
    if (token.size() > kLongest || !std::ranges::all_of(token, is_visible)) {
        return invalid("{}: {} printable characters at most, without spaces", field, kLongest);
    }
    return token.empty() ? std::string{} : compound_key({api, request.caller.face, request.caller.user, token});
}

}  // namespace headgate::http
