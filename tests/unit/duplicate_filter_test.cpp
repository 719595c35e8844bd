// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "conntrack/row_matcher.h"

namespace headgate::conntrack {
namespace duplicate_filter_test {

TEST(DuplicateFilter, a_row_is_new_once) {
    DuplicateFilter rows{100};
    EXPECT_TRUE(rows.first_time(1));
    EXPECT_TRUE(rows.first_time(2));
    EXPECT_FALSE(rows.first_time(1));
    EXPECT_FALSE(rows.first_time(2));
}

TEST(DuplicateFilter, a_repetition_within_the_window_is_known) {
    constexpr std::uint64_t kWindow = 64;
    DuplicateFilter rows{kWindow};
    for (std::uint64_t row = 0; row < 10'000; ++row) {
        EXPECT_TRUE(rows.first_time(row));
        if (row + 1 >= kWindow) {
            EXPECT_FALSE(rows.first_time(row + 1 - kWindow));
        }
    }
}

TEST(DuplicateFilter, knows_rows_of_earlier_passes_from_sources_of_any_kind) {
    DuplicateFilter rows{8};
    EXPECT_TRUE(rows.first_pass(1));
    EXPECT_TRUE(rows.first_time(2));
    rows.restart();
    EXPECT_FALSE(rows.first_time(1));
    EXPECT_FALSE(rows.first_pass(2));
    EXPECT_TRUE(rows.first_pass(3));
}

TEST(DuplicateFilter, after_a_restart_every_earlier_row_is_known) {
    DuplicateFilter rows{8};
    for (std::uint64_t row = 0; row < 1000; ++row)
        EXPECT_TRUE(rows.first_time(row * 7919 % 10'007));
    for (int pass = 0; pass < 2; ++pass) {
        rows.restart();
        for (std::uint64_t row = 0; row < 1000; ++row)
            EXPECT_FALSE(rows.first_time(row * 7919 % 10'007));
        EXPECT_TRUE(rows.first_time(20'000 + static_cast<std::uint64_t>(pass)));
    }
    rows.restart();
    EXPECT_FALSE(rows.first_time(20'000));
    EXPECT_FALSE(rows.first_time(20'001));
}

}  // namespace duplicate_filter_test
}  // namespace headgate::conntrack
