// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/walk_row.h"

#include <gtest/gtest.h>

#include "conntrack/walk/flow_id.h"
#include "support/flow_builder.h"
#include "support/walk_rows.h"

namespace headgate::conntrack {
namespace walk_row_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

Flow with_tags(Flow flow) {
    flow.sctp_tags = {0x01020304, 5};
    return flow;
}

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
             FlowBuilder{Protocol::Dccp}.in_state(5).flow(),
             FlowBuilder{Protocol::Dccp}.flow(),
             with_tags(sctp_flow().in_state(3)),
             udp_flow().with_bytes(5, 7).flow(),
         }) {
        const auto row = walked(flow);
        auto decoded = decode_row(row);
        ASSERT_TRUE(decoded.has_value());
        EXPECT_EQ(difference(*decoded, flow), "") << to_string(flow.original.protocol);
        complete(*decoded, row, kRowUnits);
        EXPECT_EQ(decoded->id, flow_id(row, kRowUnits.network_namespace, kRowUnits.seed));
        decoded->id = flow.id;
        EXPECT_TRUE(*decoded == flow) << to_string(flow.original.protocol);
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

TEST(WalkRow, differs_in_the_rest_from_what_the_flow_cannot_have_become) {
    Flow flow = sctp_flow().with_id(1).with_bytes(100, 200);
    const auto differs_in = [&](auto change) {
        Flow later = flow;
        change(later);
        return difference_in_rest(flow, later);
    };
    EXPECT_EQ(differs_in([](Flow&) {}), "");
    EXPECT_EQ(differs_in([](Flow& later) { later.id = 2; }), "id");
    EXPECT_EQ(differs_in([](Flow& later) { later.sctp_tags[1] = 2; }), "verification tags");
    EXPECT_EQ(differs_in([](Flow& later) { later.labels[3] = std::byte{1}; }), "labels");
    EXPECT_EQ(differs_in([](Flow& later) { later.helper = {'f', 't', 'p'}; }), "helper");
    EXPECT_EQ(differs_in([](Flow& later) { later.counters_original.reset(); }), "counters");
    EXPECT_EQ(differs_in([](Flow& later) { later.counters_reply->bytes = 199; }), "counters");
    EXPECT_EQ(differs_in([](Flow& later) { later.counters_reply->bytes = 201; }), "");
    EXPECT_EQ(differs_in([](Flow& later) { later.timeout.reset(); }), "timeout");
    EXPECT_EQ(differs_in([](Flow& later) { later.timeout = *later.timeout - 1s; }), "");
    EXPECT_EQ(differs_in([](Flow& later) { later.timeout = *later.timeout - 1min; }), "timeout");
    EXPECT_EQ(differs_in([](Flow& later) { later.timeout = *later.timeout + 1s; }), "timeout");
    const auto after_a_packet = [](Flow& later) {
        ++later.counters_original->packets;
        later.timeout = 1h;
    };
    EXPECT_EQ(differs_in(after_a_packet), "");
}

TEST(WalkRow, of_an_offloaded_flow_has_neither_protocol_state_nor_timeout) {
    auto row = walked(tcp_flow().in_state(3));
    row.status |= 1U << 14U;
    auto flow = *decode_row(row);
    complete(flow, row, kRowUnits);
    EXPECT_FALSE(flow.protocol_state.has_value());
    EXPECT_FALSE(flow.timeout.has_value());
}

TEST(WalkRow, is_not_whole_where_the_flow_has_a_helper_or_labels) {
    auto row = walked(tcp_flow());
    EXPECT_TRUE(is_whole(row));
    row.parts |= WALK_LACKS_EXTENSIONS;
    EXPECT_FALSE(is_whole(row));
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
