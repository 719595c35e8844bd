// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "http/access/client_limits.h"

namespace headgate::http::access {
namespace rate_limiter_test {

using namespace std::chrono_literals;

constexpr std::chrono::steady_clock::time_point kNow{1h};

/// How many of these simultaneous requests are admitted.
int admitted(RateLimiter& limiter, std::string_view who, int requests, std::chrono::steady_clock::time_point now) {
    int count = 0;
    for (int i = 0; i < requests; ++i)
        if (!limiter.wait_for(who, now)) ++count;
    return count;
}

TEST(RateLimiter, admits_a_burst_and_then_so_many_a_second) {
    RateLimiter limiter{2, 5};
    EXPECT_EQ(admitted(limiter, "a", 9, kNow), 5);
    EXPECT_EQ(admitted(limiter, "a", 9, kNow + 1s), 2);
    EXPECT_EQ(admitted(limiter, "a", 9, kNow + 1s + 500ms), 1);
    EXPECT_EQ(admitted(limiter, "a", 9, kNow + 1h), 5);
}

TEST(RateLimiter, reports_in_whole_seconds_when_to_ask_again) {
    RateLimiter limiter{0.25, 1};
    EXPECT_EQ(limiter.wait_for("a", kNow), std::nullopt);
    EXPECT_EQ(limiter.wait_for("a", kNow), 4s);
    EXPECT_EQ(limiter.wait_for("a", kNow + 500ms), 4s);
    EXPECT_EQ(limiter.wait_for("a", kNow + 3999ms), 1s);
    EXPECT_EQ(limiter.wait_for("a", kNow + 4s), std::nullopt);
}

TEST(RateLimiter, who_is_refused_is_not_held_back_for_asking) {
    RateLimiter limiter{1, 1};
    EXPECT_EQ(admitted(limiter, "a", 1000, kNow), 1);
    EXPECT_EQ(admitted(limiter, "a", 1, kNow + 1s), 1);
}

TEST(RateLimiter, names_have_buckets_of_their_own) {
    RateLimiter limiter{1, 3};
    EXPECT_EQ(admitted(limiter, "a", 9, kNow), 3);
    EXPECT_EQ(admitted(limiter, "b", 9, kNow), 3);
    EXPECT_EQ(admitted(limiter, "a", 9, kNow), 0);
}

TEST(RateLimiter, a_clock_that_was_read_earlier_gives_nothing) {
    RateLimiter limiter{1, 1};
    EXPECT_EQ(admitted(limiter, "a", 9, kNow), 1);
    EXPECT_EQ(admitted(limiter, "a", 9, kNow - 10s), 0);
    EXPECT_EQ(admitted(limiter, "a", 9, kNow + 1s), 1);
}

TEST(RateLimiter, forgets_who_has_not_asked_for_longest) {
    RateLimiter limiter{1, 1, 2};
    EXPECT_EQ(admitted(limiter, "a", 1, kNow), 1);
    EXPECT_EQ(admitted(limiter, "b", 1, kNow), 1);
    EXPECT_EQ(admitted(limiter, "a", 1, kNow), 0);
    EXPECT_EQ(admitted(limiter, "c", 1, kNow), 1);
    EXPECT_EQ(admitted(limiter, "a", 1, kNow), 0);
    EXPECT_EQ(admitted(limiter, "b", 1, kNow), 1);
}

}  // namespace rate_limiter_test
}  // namespace headgate::http::access
