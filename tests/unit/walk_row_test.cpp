// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/walk_row.h"

#include <gtest/gtest.h>

#include "support/flow_builder.h"
#include "support/walk_rows.h"

namespace headgate::conntrack {
namespace walk_row_test {

using namespace headgate::testing;

TEST(WalkRow, has_the_flow_that_conntrack_reports) {
    const Timestamp started{std::chrono::hours{500'000}};
    for (const Flow& flow : {
             tcp_flow().in_state(7).with_mark(5).started_at(started).flow(),
             tcp_flow().from("2001:db8::1", 1).to("2001:db8::2", 2).in_state(3).in_zone(9).flow(),
             udp_flow().leaving_as("192.0.2.1", 7).redirected_to("10.9.9.9", 8).flow(),
             sctp_flow().in_state(4).in_zone(65535, ZoneDirection::Reply).flow(),
             icmp_flow().leaving_as("192.0.2.1", 9).in_zone(3, ZoneDirection::Original).flow(),
             icmpv6_flow().flow(),
             FlowBuilder{Protocol::Gre}.flow(),
             FlowBuilder{Protocol{89}}.flow(),
         }) {
        const auto decoded = decode_row(walked(flow));
        ASSERT_TRUE(decoded.has_value());
        EXPECT_EQ(difference(*decoded, flow), "") << to_string(flow.original.protocol);
    }
}

TEST(WalkRow, differs_from_a_flow_by_each_of_its_parts) {
    const auto flow = tcp_flow().in_state(3).with_mark(5).in_zone(2).started_at(Timestamp{std::chrono::hours{1}});
    const auto differs_in = [&](FlowBuilder other) { return difference(flow, other.flow()); };
    EXPECT_EQ(differs_in(FlowBuilder{flow}.from_port(1)), "original tuple");
    EXPECT_EQ(differs_in(FlowBuilder{flow}.leaving_as("192.0.2.1", 1)), "reply tuple");
    EXPECT_EQ(differs_in(FlowBuilder{flow}.in_zone(3)), "zone");
    EXPECT_EQ(differs_in(FlowBuilder{flow}.in_zone(2, ZoneDirection::Reply)), "zone");
    EXPECT_EQ(differs_in(FlowBuilder{flow}.started_at(Timestamp{std::chrono::hours{2}})), "start time");
    EXPECT_EQ(differs_in(FlowBuilder{flow}.established()), "status");
    EXPECT_EQ(differs_in(FlowBuilder{flow}.with_mark(4)), "mark");
    EXPECT_EQ(differs_in(FlowBuilder{flow}.in_state(4)), "protocol state");
}

TEST(WalkRow, of_an_offloaded_flow_has_no_protocol_state) {
    auto row = walked(tcp_flow().in_state(3));
    row.status |= 1U << 14U;
    EXPECT_FALSE(decode_row(row)->protocol_state.has_value());
}

TEST(WalkRow, of_another_family_is_no_flow) {
    EXPECT_FALSE(decode_row(walk_row{}).has_value());
}

TEST(WalkRow, is_looked_up_in_the_zone_that_its_original_tuple_has) {
    EXPECT_EQ(candidate_of(tcp_flow().in_zone(7)), (Candidate{tcp_flow().tuple(), 7}));
    EXPECT_EQ(candidate_of(tcp_flow().in_zone(7, ZoneDirection::Original)).zone, 7);
    EXPECT_EQ(candidate_of(tcp_flow().in_zone(7, ZoneDirection::Reply)).zone, 0);
}

}  // namespace walk_row_test
}  // namespace headgate::conntrack
