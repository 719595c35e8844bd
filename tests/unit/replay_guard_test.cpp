// SPDX-License-Identifier: GPL-2.0-or-later
// A signed request is executed once.
#include "http/access/replay_guard.h"

#include <gtest/gtest.h>

namespace headgate::http::access {
namespace replay_guard_test {

using namespace std::chrono_literals;

constexpr Timestamp kStart = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21};
constexpr std::chrono::nanoseconds kUp = 5h;  ///< uptime of the machine at kStart

class ReplayGuardTest : public ::testing::Test {
  protected:
    /// The operation that was started earlier, or the one that this call starts.
    std::optional<std::string> known_or_start(const RequestSignature& signature, const std::string& operation,
                                              std::chrono::nanoseconds up) {
        auto claim = guard_.claim(signature, "", up);
        if (!claim) return std::nullopt;
        if (!claim->operation()) claim->commit(operation);
        return claim->operation();
    }
    std::optional<ErrorKind> refusal(const RequestSignature& signature, std::chrono::nanoseconds up) {
        const auto claim = guard_.claim(signature, "", up);
        return claim ? std::nullopt : std::optional{claim.error().kind};
    }

    ReplayGuard guard_{kStart, 3};
    const RequestSignature signature_{"a", kStart + 1min};
};

TEST_F(ReplayGuardTest, a_copy_is_answered_with_what_the_first_one_started) {
    EXPECT_EQ(known_or_start(signature_, "one", kUp + 1min), "one");
    EXPECT_EQ(known_or_start(signature_, "two", kUp + 16min), "one");
    EXPECT_EQ(known_or_start({"b", kStart + 1min}, "two", kUp + 16min), "two");
}

TEST_F(ReplayGuardTest, of_two_at_once_the_second_is_refused_until_the_first_has_started) {
    auto first = guard_.claim(signature_, "", kUp + 1min);
    ASSERT_TRUE(first);
    EXPECT_FALSE(first->operation());
    EXPECT_EQ(refusal(signature_, kUp + 1min), ErrorKind::Busy);
    first->commit("one");
    EXPECT_EQ(known_or_start(signature_, "two", kUp + 1min), "one");
}

TEST_F(ReplayGuardTest, what_could_not_be_started_may_be_tried_again) {
    EXPECT_TRUE(guard_.claim(signature_, "", kUp + 1min));
    EXPECT_EQ(known_or_start(signature_, "two", kUp + 1min), "two");
}

TEST_F(ReplayGuardTest, a_claim_that_moves_is_given_up_once) {
    auto claim = guard_.claim(signature_, "", kUp + 1min);
    ASSERT_TRUE(claim);
    {
        const auto moved = std::move(*claim);
        EXPECT_EQ(refusal(signature_, kUp + 1min), ErrorKind::Busy);
    }
    EXPECT_EQ(known_or_start(signature_, "two", kUp + 1min), "two");
}

TEST_F(ReplayGuardTest, what_was_signed_before_the_guard_was_there_is_refused) {
    const auto claim = guard_.claim({"a", kStart - 1s}, "", kUp + 1min);
    ASSERT_FALSE(claim);
    EXPECT_EQ(claim.error().kind, ErrorKind::Expired);
    EXPECT_EQ(known_or_start({"a", kStart}, "one", kUp + 1min), "one");
}

TEST_F(ReplayGuardTest, signatures_are_kept_for_longer_than_they_pass_and_then_make_room) {
    for (const auto* signature : {"a", "b", "c"})
        EXPECT_EQ(known_or_start({signature, kStart + 15min}, "one", kUp), "one");
    EXPECT_EQ(refusal({"d", kStart + 16min}, kUp), ErrorKind::Busy);
    EXPECT_EQ(known_or_start({"a", kStart + 15min}, "two", kUp + 30min), "one");
    EXPECT_EQ(refusal({"d", kStart + 30min}, kUp + 30min), ErrorKind::Busy);
    EXPECT_EQ(known_or_start({"d", kStart + 31min}, "two", kUp + 30min + 10s), "two");
}

TEST_F(ReplayGuardTest, what_was_forgotten_is_not_carried_out_again_even_if_the_clock_is_put_back) {
    EXPECT_EQ(known_or_start({"a", kStart + 10min}, "one", kUp), "one");
    EXPECT_EQ(known_or_start({"b", kStart + 60min}, "two", kUp + 50min), "two");
    // The clock is set back by an hour: both dates are valid again.
    EXPECT_EQ(refusal({"a", kStart + 10min}, kUp + 51min), ErrorKind::Expired);
    EXPECT_EQ(refusal({"c", kStart + 9min}, kUp + 51min), ErrorKind::Expired)
        << "one that was forgotten, for all that is known";
    EXPECT_EQ(known_or_start({"b", kStart + 60min}, "three", kUp + 51min), "two");
    EXPECT_EQ(known_or_start({"c", kStart + 11min}, "three", kUp + 51min), "three");
}

TEST_F(ReplayGuardTest, where_few_requests_are_signed_nothing_is_forgotten) {
    ReplayGuard roomy{kStart, 20};
    for (const auto* signature : {"a", "b"}) {
        auto claim = roomy.claim({signature, kStart}, "", kUp);
        ASSERT_TRUE(claim);
        claim->commit(signature);
    }
    EXPECT_EQ(roomy.claim({"a", kStart}, "", kUp + 1000h)->operation(), "a");
    EXPECT_TRUE(roomy.claim({"c", kStart}, "", kUp + 1000h)) << "nor is anything refused for that";
}

TEST_F(ReplayGuardTest, a_claim_that_is_open_is_not_forgotten) {
    const auto claim = guard_.claim(signature_, "", kUp + 1min);
    EXPECT_EQ(refusal(signature_, kUp + 2h), ErrorKind::Busy);
}

TEST_F(ReplayGuardTest, a_signature_that_comes_with_another_token_starts_nothing) {
    auto claim = guard_.claim(signature_, "first", kUp + 1min);
    ASSERT_TRUE(claim);
    claim->commit("operation");
    const auto again = guard_.claim(signature_, "first", kUp + 2min);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->operation(), "operation");
    EXPECT_EQ(guard_.claim(signature_, "second", kUp + 2min).error().kind, ErrorKind::Busy);
    EXPECT_EQ(guard_.claim(signature_, "", kUp + 2min).error().kind, ErrorKind::Busy);
}

}  // namespace replay_guard_test
}  // namespace headgate::http::access
