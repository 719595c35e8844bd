// SPDX-License-Identifier: GPL-2.0-or-later
#include "quarantine/quarantine_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "headgate/quarantine.h"

namespace headgate::quarantine {
namespace {

constexpr unsigned widest(Family family) {
    return family == Family::Ipv4 ? 16 : 48;
}

}  // namespace

Result<Prefix> parse_quarantined(std::string_view text) {
    ASSIGN_OR_RETURN(const auto address, parse_address_as_written(text.substr(0, text.find('/'))));
    if (const auto ipv4 = unmapped(address); ipv4 != address) {
        return invalid("{} is an IPv4-mapped address, which no packet has: write {}", text, to_string(ipv4));
    }
    ASSIGN_OR_RETURN(const auto prefix, parse_prefix(text));
    if (prefix.length == 0) return invalid("{} is every address: name the ones that are meant", text);
    return prefix;
}

Result<void> check_prefixes(std::span<const Prefix> prefixes) {
    if (prefixes.empty()) return invalid("none is named");
    if (prefixes.size() > kMostAtOnce) return invalid("{} are named; {} at most", prefixes.size(), kMostAtOnce);
    for (auto each = prefixes.begin(); each != prefixes.end(); ++each) {
        if (std::find(prefixes.begin(), each, *each) != each) return invalid("{} is named twice", to_string(*each));
    }
    return {};
}

Result<std::chrono::seconds> checked_time(std::chrono::seconds time) {
    constexpr auto kLongest = QuarantineEntry::kLongestTime;
    if (time < std::chrono::seconds{1}) return invalid("{} s is less than a second", time.count());
    if (time > kLongest) return invalid("{} s is longer than {} days", time.count(), kLongest / std::chrono::hours{24});
    return time;
}

Result<std::string> parse_reason(std::string_view text) {
    constexpr auto kLongest = QuarantineEntry::kLongestReason;
    if (text.size() > kLongest) return invalid("{} bytes are more than {}", text.size(), kLongest);
    const auto is_control = [](unsigned char each) { return each < 0x20 || each == 0x7F; };
    if (std::ranges::any_of(text, is_control)) return invalid("has a control character: write one line");
    return std::string{text};
}

bool overlap(const Prefix& a, const Prefix& b) noexcept {
    // contains() compares with its own length, so the wider one decides.
    return a.contains(b.address) || b.contains(a.address);
}

Result<void> check_width(std::span<const Prefix> prefixes) {
    for (const auto& prefix : prefixes) {
        const auto limit = widest(prefix.address.family);
        if (prefix.length >= limit) continue;
        return refused("{} is wider than /{}: nothing was changed (--wide, in JSON \"wide\": true, if it is meant)",
                       to_string(prefix), limit);
    }
    return {};
}

}  // namespace headgate::quarantine
