// SPDX-License-Identifier: GPL-2.0-or-later
// One caller cannot occupy all threads.
#include <gtest/gtest.h>

#include "http/access/client_limits.h"

namespace headgate::http::access {
namespace requests_in_hand_test {

TEST(RequestsInHand, one_caller_has_so_many_at_once) {
    const auto hand = std::make_shared<RequestsInHand>(2);
    const auto first = hand->enter("a");
    auto second = hand->enter("a");
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(hand->enter("a"));
    EXPECT_TRUE(hand->enter("b")) << "others have their own share";
    second.reset();
    EXPECT_TRUE(hand->enter("a"));
}

TEST(RequestsInHand, outlives_its_owner_as_long_as_a_request_is_in_progress) {
    auto hand = std::make_shared<RequestsInHand>(1);
    auto request = hand->enter("a");
    const std::weak_ptr<RequestsInHand> seen = hand;
    hand.reset();
    EXPECT_FALSE(seen.expired());
    request.reset();
    EXPECT_TRUE(seen.expired());
}

}  // namespace requests_in_hand_test
}  // namespace headgate::http::access
