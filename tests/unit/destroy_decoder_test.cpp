// SPDX-License-Identifier: GPL-2.0-or-later
// Decodes the kernel's events into ended flows: the flow table, the process that deleted the flow, and the time.
#include "flowlog/destroy_decoder.h"

#include <gtest/gtest.h>

#include "support/flow_builder.h"
#include "support/kernel_events.h"

namespace headgate::flowlog {
namespace destroy_decoder_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

constexpr Timestamp kNoon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 12h};

std::shared_ptr<const Endpoint> endpoint(std::string_view zone) {
    return std::make_shared<const Endpoint>(Endpoint{"edge", std::string{zone}, ""});
}

std::vector<EndedFlow> read(EventBlockBuilder& events, WatchedEndpoints endpoints = {{endpoint("a"), std::nullopt}},
                            PortOwners owners = {}, conntrack::ExpiredFlows* expired = nullptr) {
    std::vector<EndedFlow> ended;
    const auto unreadable =
        read_events({events.build(), std::make_shared<const WatchedEndpoints>(std::move(endpoints)), std::move(owners)},
                    expired, ended);
    EXPECT_EQ(unreadable, 0U);
    return ended;
}

TEST(DestroyDecoder, decodes_a_flow_as_the_event_has_it_without_the_bit_for_dying) {
    Flow flow = tcp_flow().established().with_id(7).in_state(7);
    flow.timeout.reset();
    flow.started = kNoon - 1min;
    flow.stopped = kNoon - 1s;
    Flow dying = flow;
    dying.status |= flow_status::kDying;
    EventBlockBuilder events{kNoon};
    const auto ended = read(events.add(dying));
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended.front().flow, flow);
    EXPECT_EQ(ended.front().ended_at, kNoon - 1s);
    EXPECT_EQ(ended.front().reason, EndReason::Closed);
    EXPECT_EQ(ended.front().foreign, nullptr);
}

TEST(DestroyDecoder, uses_the_time_of_receipt_where_the_kernel_reports_none) {
    EventBlockBuilder events{kNoon};
    EXPECT_EQ(read(events.add(udp_flow())).front().ended_at, kNoon);
}

TEST(DestroyDecoder, finds_the_endpoint_by_the_zone) {
    const auto of_zone = endpoint("zoned");
    const auto of_any = endpoint("any");
    EventBlockBuilder events{kNoon};
    events.add(tcp_flow().in_zone(5)).add(tcp_flow()).add(tcp_flow().in_zone(6));
    const auto ended = read(events, {{of_any, std::nullopt}, {of_zone, 5}});
    ASSERT_EQ(ended.size(), 3U);
    EXPECT_EQ(ended[0].endpoint, of_zone);
    EXPECT_EQ(ended[1].endpoint, of_any);
    EXPECT_EQ(ended[2].endpoint, of_any);
}

TEST(DestroyDecoder, leaves_out_flows_of_zones_without_an_endpoint) {
    EventBlockBuilder events{kNoon};
    events.add(tcp_flow().in_zone(5)).add(tcp_flow().in_zone(6));
    EXPECT_EQ(read(events, {{endpoint("zoned"), 5}}).size(), 1U);
}

TEST(DestroyDecoder, names_who_deleted_it) {
    const auto owner = std::make_shared<const ExternalDelete>(ExternalDelete{4711, "conntrack"});
    EventBlockBuilder events{kNoon};
    events.add(tcp_flow(), 4711).add(tcp_flow(), 4712);
    const auto ended = read(events, {{endpoint("a"), std::nullopt}}, {{4711, owner}});
    EXPECT_EQ(ended[0].reason, EndReason::Flushed);
    EXPECT_EQ(ended[0].foreign, owner);
    EXPECT_EQ(*ended[1].foreign, (ExternalDelete{4712, ""}));
}

TEST(DestroyDecoder, leaves_out_flows_that_this_process_let_expire) {
    const Flow flow = tcp_flow().with_id(7).started_at(kNoon);
    const Flow younger = tcp_flow().with_id(7).started_at(kNoon + 1s);
    conntrack::ExpiredFlows expired;
    conntrack::ExpiredFlows::Notes{expired}.add(flow);
    EventBlockBuilder events{kNoon};
    events.add(younger).add(flow).add(flow, 4711).add(flow);
    const auto ended = read(events, {{endpoint("a"), std::nullopt}}, {}, &expired);
    ASSERT_EQ(ended.size(), 3U) << "once, and only if the kernel ended it";
    EXPECT_EQ(ended[0].flow.started, younger.started);
    EXPECT_EQ(ended[1].foreign->port_id, 4711U);
}

TEST(DestroyDecoder, notes_no_expired_flows_where_no_events_are_expected) {
    const Flow flow = tcp_flow().with_id(7).started_at(kNoon);
    conntrack::ExpiredFlows expired;
    expired.expect(false);
    conntrack::ExpiredFlows::Notes{expired}.add(flow);
    EXPECT_FALSE(expired.forget(flow));
}

TEST(DestroyDecoder, counts_what_cannot_be_read) {
    auto block = std::make_unique<conntrack::EventBlock>(kNoon);
    nlmsghdr header{};
    header.nlmsg_len = sizeof header + 4;
    header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
    std::vector<std::byte> torn(header.nlmsg_len);
    std::memcpy(torn.data(), &header, sizeof header);
    torn[sizeof header] = std::byte{AF_INET};
    block->append(torn);
    std::vector<EndedFlow> ended;
    const auto endpoints = std::make_shared<const WatchedEndpoints>(WatchedEndpoints{{endpoint("a"), std::nullopt}});
    EXPECT_EQ(read_events({std::move(block), endpoints, {}}, nullptr, ended), 1U);
    EXPECT_TRUE(ended.empty());
}

}  // namespace destroy_decoder_test
}  // namespace headgate::flowlog
