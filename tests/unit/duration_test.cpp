// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "config/value_types.h"

namespace headgate::config {
namespace duration_test {

using namespace std::chrono_literals;

std::string error_of(std::string_view text) {
    const auto parsed = parse_duration(text);
    if (parsed) return "";
    EXPECT_EQ(parsed.error().kind, ErrorKind::Invalid);
    return parsed.error().message;
}

TEST(Duration, is_a_number_and_a_unit) {
    EXPECT_EQ(parse_duration("90s"), 90s);
    EXPECT_EQ(parse_duration("5m"), 300s);
    EXPECT_EQ(parse_duration("12h"), 43'200s);
    EXPECT_EQ(parse_duration("7d"), 604'800s);
    EXPECT_EQ(parse_duration("0m"), 0s);
}

TEST(Duration, is_printed_as_it_is_parsed) {
    for (const auto* text : {"0s", "90s", "5m", "61m", "12h", "7d", "25h"})
        EXPECT_EQ(duration_text(parse_duration(text).value()), text);
    EXPECT_EQ(duration_text(24h), "1d");
}

TEST(Duration, without_a_unit_is_in_seconds) {
    EXPECT_EQ(parse_duration("90"), 90s);
}

TEST(Duration, that_is_negative_is_an_error_with_the_rule) {
    EXPECT_EQ(error_of("-5s"), "-5s is negative");
    EXPECT_EQ(error_of("-5"), "-5 is negative");
}

TEST(Duration, is_nothing_else) {
    EXPECT_EQ(error_of("soon"), "\"soon\" is not a duration such as 90s, 5m or 12h");
    for (const auto* text : {"", "s", "-", "5 m", " 5m", "5M", "5ms", "1h30m", "1.5h", "+5s", "--5s", "5w", "0x10"}) {
        EXPECT_EQ(error_of(text), fmt::format("\"{}\" is not a duration such as 90s, 5m or 12h", text));
    }
}

TEST(Duration, ends_where_seconds_can_not_be_counted) {
    EXPECT_EQ(parse_duration("9223372036854775807"), std::chrono::seconds::max());
    for (const auto* text : {"9223372036854775808", "106751991167301d", "99999999999999999999999s"}) {
        EXPECT_EQ(error_of(text), fmt::format("{} is longer than a duration can be", text));
    }
}

}  // namespace duration_test
}  // namespace headgate::config
