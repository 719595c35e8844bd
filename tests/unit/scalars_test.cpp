// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/scalars.h"

#include <gtest/gtest.h>

namespace headgate::config {
namespace scalars_test {

template <typename T>
std::string error_of(const Result<T>& parsed) {
    return parsed ? "" : parsed.error().message;
}

TEST(Scalars, a_size_is_a_number_and_a_unit) {
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("512"), 512U);
    EXPECT_EQ(parse_size("3KiB"), 3072U);
    EXPECT_EQ(parse_size("512MiB"), 512U << 20U);
    EXPECT_EQ(parse_size("2GiB"), std::uint64_t{2} << 30U);
    EXPECT_EQ(parse_size("16777215TiB"), std::uint64_t{16777215} << 40U);
}

TEST(Scalars, what_is_no_size_is_an_error) {
    for (const auto* text : {"", "GiB", "2GB", "2 GiB", "-1", "1.5GiB", "2gib", "0x10"}) {
        EXPECT_EQ(error_of(parse_size(text)), fmt::format("\"{}\" is not a size such as 512MiB or 2GiB", text));
    }
    EXPECT_EQ(error_of(parse_size("16777216TiB")), "16777216TiB is larger than a size can be");
    EXPECT_EQ(error_of(parse_size("99999999999999999999")), "99999999999999999999 is larger than a size can be");
}

TEST(Scalars, a_size_is_printed_as_it_is_parsed) {
    for (const auto* text : {"0", "1", "1000", "3KiB", "512MiB", "2GiB", "1025GiB", "1024TiB"})
        EXPECT_EQ(size_text(parse_size(text).value()), text);
    EXPECT_EQ(size_text(1024), "1KiB");
}

TEST(Scalars, a_number_is_within_its_bounds) {
    EXPECT_EQ(parse_number<int>("-5", -5, 5), -5);
    EXPECT_EQ(parse_number<std::uint16_t>("65535", 0, 65535), 65535);
    EXPECT_EQ(error_of(parse_number<int>("6", -5, 5)), "6 is not within -5..5");
    EXPECT_EQ(error_of(parse_number<int>("99999999999999999999", -5, 5)), "99999999999999999999 is not within -5..5");
    for (const auto* text : {"", "-", "+1", "1.5", "five", "0x1", " 1"})
        EXPECT_EQ(error_of(parse_number<int>(text, -5, 5)), fmt::format("\"{}\" is not a whole number", text));
}

TEST(Scalars, a_boolean_is_true_or_false) {
    EXPECT_EQ(parse_boolean("true"), true);
    EXPECT_EQ(parse_boolean("false"), false);
    for (const auto* text : {"", "yes", "True", "1", "on"})
        EXPECT_EQ(error_of(parse_boolean(text)), fmt::format("\"{}\" is neither true nor false", text));
}

TEST(Scalars, a_path_is_absolute_and_made_normal) {
    EXPECT_EQ(parse_absolute_path("/var//lib/./headgate/../x"), "/var/lib/x");
    EXPECT_EQ(error_of(parse_absolute_path("var/lib")), "\"var/lib\" is not an absolute path");
    EXPECT_EQ(error_of(parse_absolute_path("")), "\"\" is not an absolute path");
    EXPECT_EQ(error_of(parse_absolute_path("/a\nb")), "a path with characters that can not be shown");
    EXPECT_EQ(error_of(parse_absolute_path("/" + std::string(4095, 'a'))), "a path has 4095 bytes at most, not 4096");
}

}  // namespace scalars_test
}  // namespace headgate::config
