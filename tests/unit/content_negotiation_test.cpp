// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <array>

#include "http/message.h"

namespace headgate::http {
namespace content_negotiation_test {

constexpr std::array<std::string_view, 3> kOffered{"application/json", "application/x-ndjson", "text/csv"};

std::string_view preferred(std::string_view accept) {
    return preferred_type(accept, kOffered).value_or("none");
}

TEST(ContentNegotiation, whoever_does_not_mind_gets_the_first) {
    EXPECT_EQ(preferred(""), "application/json");
    EXPECT_EQ(preferred("  "), "application/json");
    EXPECT_EQ(preferred("*/*"), "application/json");
    EXPECT_EQ(preferred("text/html, */*;q=0.1"), "application/json");
    EXPECT_EQ(preferred("application/*"), "application/json");
}

TEST(ContentNegotiation, what_is_liked_best_counts) {
    EXPECT_EQ(preferred("text/csv"), "text/csv");
    EXPECT_EQ(preferred("TEXT/*"), "text/csv");
    EXPECT_EQ(preferred("application/json;q=0.5, text/csv ; q=0.501"), "text/csv");
    EXPECT_EQ(preferred("text/csv;q=0.2,application/x-ndjson;charset=utf-8;q=0.3"), "application/x-ndjson");
    EXPECT_EQ(preferred("application/x-ndjson, text/csv"), "application/x-ndjson")
        << "of two, the first that is offered";
    EXPECT_EQ(preferred("*/*, application/json;q=0.9"), "application/x-ndjson") << "the closer range counts";
    EXPECT_EQ(preferred("application/*;q=0, */*;q=0.1"), "text/csv");
}

TEST(ContentNegotiation, what_is_not_liked_is_not_sent) {
    EXPECT_EQ(preferred("text/html"), "none");
    EXPECT_EQ(preferred("application/json;q=0"), "none");
    EXPECT_EQ(preferred("*/*;q=0.000"), "none");
}

TEST(ContentNegotiation, a_range_that_is_not_well_formed_accepts_nothing) {
    for (const auto* accept : {"json", "text/csv;q=1.001", "text/csv;q=2", "text/csv;q=", "text/csv;q=0.1234",
                               "text/csv;q=.5", "text/csv;q=-1", ",,;;", "/", "*/csv", "text/c*"})
        EXPECT_EQ(preferred(accept), "none") << accept;
    EXPECT_EQ(preferred("nonsense, text/csv"), "text/csv") << "and spoils no other";
}

}  // namespace content_negotiation_test
}  // namespace headgate::http
