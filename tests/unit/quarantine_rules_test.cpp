// SPDX-License-Identifier: GPL-2.0-or-later
#include "quarantine/quarantine_rules.h"

#include <gtest/gtest.h>

#include "headgate/quarantine.h"

namespace headgate::quarantine {
namespace quarantine_rules_test {

std::string error_of(std::string_view text) {
    const auto parsed = parse_quarantined(text);
    return parsed ? "" : parsed.error().message;
}

std::vector<Prefix> prefixes(std::vector<std::string_view> texts) {
    std::vector<Prefix> parsed;
    for (const auto text : texts)
        parsed.push_back(parse_prefix(text).value());
    return parsed;
}

TEST(QuarantineRules, accept_addresses_and_prefixes_of_both_families) {
    for (const auto* text : {"192.0.2.7", "192.0.2.0/24", "2001:db8::7", "2001:db8::/32", "0.0.0.0/1"})
        EXPECT_EQ(to_string(parse_quarantined(text).value()), text);
}

TEST(QuarantineRules, reject_what_no_packet_has_or_every_packet) {
    EXPECT_EQ(error_of("gateway"), "\"gateway\" is not an IPv4 or IPv6 address");
    EXPECT_EQ(error_of(""), "\"\" is not an IPv4 or IPv6 address");
    EXPECT_EQ(error_of("192.0.2.7/24"), "192.0.2.7/24 has host bits set; the prefix is 192.0.2.0/24");
    EXPECT_EQ(error_of("::ffff:192.0.2.7"),
              "::ffff:192.0.2.7 is an IPv4-mapped address, which no packet has: write 192.0.2.7");
    EXPECT_EQ(error_of("::ffff:192.0.2.0/120"),
              "::ffff:192.0.2.0/120 is an IPv4-mapped address, which no packet has: write 192.0.2.0");
    EXPECT_EQ(error_of("0.0.0.0/0"), "0.0.0.0/0 is every address: name the ones that are meant");
    EXPECT_EQ(error_of("::/0"), "::/0 is every address: name the ones that are meant");
}

TEST(QuarantineRules, limit_the_number_of_prefixes_and_name_each_once) {
    EXPECT_EQ(check_prefixes({}).error().message, "none is named");
    EXPECT_TRUE(check_prefixes(prefixes({"192.0.2.7", "192.0.2.0/24"})));
    EXPECT_EQ(check_prefixes(prefixes({"192.0.2.7", "192.0.2.8", "192.0.2.7"})).error().message,
              "192.0.2.7 is named twice");
    EXPECT_EQ(check_prefixes(std::vector<Prefix>(257)).error().message, "257 are named; 256 at most");
}

TEST(QuarantineRules, limit_the_time) {
    EXPECT_TRUE(checked_time(std::chrono::seconds{1}));
    EXPECT_TRUE(checked_time(QuarantineEntry::kLongestTime));
    EXPECT_EQ(checked_time(std::chrono::seconds{0}).error().message, "0 s is less than a second");
    EXPECT_EQ(checked_time(std::chrono::hours{24 * 365}).error().message, "31536000 s is longer than 30 days");
}

TEST(QuarantineRules, a_reason_is_one_line) {
    EXPECT_EQ(parse_reason("ticket 4711: \"scans\"").value(), "ticket 4711: \"scans\"");
    EXPECT_EQ(parse_reason("a\nb").error().message, "has a control character: write one line");
    EXPECT_EQ(parse_reason(std::string(257, 'a')).error().message, "257 bytes are more than 256");
}

TEST(QuarantineRules, wide_prefixes_are_refused) {
    EXPECT_TRUE(check_width(prefixes({"10.1.0.0/16", "2001:db8:1::/48", "192.0.2.7"})));
    const auto wide = check_width(prefixes({"192.0.2.7", "10.0.0.0/15"}));
    EXPECT_EQ(wide.error().kind, ErrorKind::Refused);
    EXPECT_TRUE(wide.error().message.starts_with("10.0.0.0/15 is wider than /16")) << wide.error().message;
    EXPECT_TRUE(
        check_width(prefixes({"2001:db8::/47"})).error().message.starts_with("2001:db8::/47 is wider than /48"));
}

TEST(QuarantineRules, prefixes_overlap_if_one_is_in_the_other) {
    const auto overlapping = [](std::string_view a, std::string_view b) {
        return overlap(parse_prefix(a).value(), parse_prefix(b).value());
    };
    EXPECT_TRUE(overlapping("10.0.0.0/8", "10.1.0.0/16"));
    EXPECT_TRUE(overlapping("10.1.2.3", "10.0.0.0/8"));
    EXPECT_FALSE(overlapping("10.0.0.0/8", "11.0.0.0/8"));
    EXPECT_FALSE(overlapping("10.0.0.0/8", "2001:db8::/32"));
}

}  // namespace quarantine_rules_test
}  // namespace headgate::quarantine
