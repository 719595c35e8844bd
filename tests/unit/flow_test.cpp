// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/flow.h"

#include <gtest/gtest.h>

#include "support/flow_builder.h"

namespace headgate {
namespace flow_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};

TEST(FlowState, of_tcp_and_sctp_comes_from_the_protocol) {
    const std::pair<std::uint8_t, FlowState> tcp[] = {
        {0, FlowState::New},         {1, FlowState::New},         {2, FlowState::New},         {9, FlowState::New},
        {3, FlowState::Established}, {4, FlowState::Established}, {5, FlowState::Established}, {6, FlowState::Closed},
        {7, FlowState::Closed},      {8, FlowState::Closed},
    };
    for (const auto& [number, expected] : tcp)
        EXPECT_EQ(state(tcp_flow().in_state(number)), expected) << int{number};
    EXPECT_EQ(state(sctp_flow().in_state(3)), FlowState::New);
    EXPECT_EQ(state(sctp_flow().in_state(4)), FlowState::Established);
    EXPECT_EQ(state(sctp_flow().in_state(7)), FlowState::Closed);
    EXPECT_EQ(state(sctp_flow().in_state(1)), FlowState::Closed);
}

TEST(FlowState, of_others_is_whether_a_reply_was_seen) {
    EXPECT_EQ(state(udp_flow()), FlowState::New);
    EXPECT_EQ(state(udp_flow().established()), FlowState::Established);
    EXPECT_EQ(state(icmp_flow()), FlowState::New);
    EXPECT_EQ(protocol_state_name(udp_flow()), std::nullopt);
}

TEST(FlowState, that_the_kernel_did_not_report_falls_back_on_the_reply) {
    Flow offloaded = tcp_flow().established();
    offloaded.protocol_state.reset();
    EXPECT_EQ(state(offloaded), FlowState::Established);
    EXPECT_EQ(protocol_state_name(offloaded), std::nullopt);
    offloaded.protocol_state = std::uint8_t{200};
    EXPECT_EQ(state(offloaded), FlowState::Established);
}

TEST(FlowState, names_are_the_kernels) {
    EXPECT_EQ(protocol_state_name(tcp_flow().in_state(9)), "SYN_SENT2");
    EXPECT_EQ(protocol_state_name(sctp_flow().in_state(2)), "COOKIE_WAIT");
    EXPECT_EQ(parse_protocol_state(Protocol::Tcp, "TIME_WAIT"), std::uint8_t{7});
    EXPECT_EQ(parse_protocol_state(Protocol::Tcp, "COOKIE_WAIT"), std::nullopt);
    EXPECT_EQ(parse_protocol_state(Protocol::Udp, "ESTABLISHED"), std::nullopt);
}

TEST(SameFlow, has_the_same_id_and_the_same_start_time) {
    const Timestamp start{std::chrono::hours{1}};
    const Flow flow = tcp_flow().with_id(5).started_at(start);
    EXPECT_TRUE(is_same_flow(flow, flow));
    EXPECT_FALSE(is_same_flow(flow, tcp_flow().with_id(6).started_at(start)));
    EXPECT_FALSE(is_same_flow(flow, tcp_flow().with_id(5).started_at(start + std::chrono::nanoseconds{1})));
}

TEST(SameFlow, gets_no_start_time_later) {
    const Flow without = tcp_flow().with_id(5);
    EXPECT_TRUE(is_same_flow(without, without));
    EXPECT_FALSE(is_same_flow(without, tcp_flow().with_id(5).started_at(Timestamp{std::chrono::hours{1}})));
}

TEST(SameFlow, forgets_no_reply) {
    const Flow fresh = udp_flow().with_id(5);
    const Flow answered = udp_flow().with_id(5).established();
    EXPECT_TRUE(is_same_flow(fresh, answered));
    EXPECT_FALSE(is_same_flow(answered, fresh));
}

TEST(FlowAge, counts_from_the_start_to_now_or_to_the_end) {
    Flow flow = tcp_flow().started_at(kNow - 90s);
    EXPECT_EQ(age(flow, {.now = kNow}), 90s);
    flow.stopped = kNow - 60s;
    EXPECT_EQ(age(flow, {.now = kNow}), 30s);
}

TEST(FlowAge, is_never_negative_and_absent_without_a_time_stamp) {
    EXPECT_EQ(age(tcp_flow().started_at(kNow + 5s), {.now = kNow}), 0s) << "it began while the table was searched";
    EXPECT_EQ(age(tcp_flow(), {.now = kNow}), std::nullopt);
}

TEST(FlowAge, that_cannot_be_is_not_known) {
    const Moment moment{.now = kNow, .up = 1h};
    EXPECT_EQ(age(tcp_flow().started_at(kNow - 1h), moment), 1h);
    EXPECT_EQ(age(tcp_flow().started_at(kNow - 1h - 1s), moment), std::nullopt) << "older than the machine is up";
    EXPECT_EQ(age(tcp_flow().started_at(Timestamp{1s}), moment), std::nullopt);
    EXPECT_EQ(age(tcp_flow().started_at(kNow + 61s), moment), std::nullopt) << "from the future";
    EXPECT_EQ(age(tcp_flow().started_at(Timestamp::max()), moment), std::nullopt);
    EXPECT_EQ(age(tcp_flow().started_at(Timestamp::min()), moment), std::nullopt);
}

TEST(FlowAge, of_one_that_has_ended_is_not_known_either_where_the_clock_was_set_meanwhile) {
    Flow flow = tcp_flow().started_at(kNow - 10s);
    flow.stopped = kNow - 3h;
    EXPECT_EQ(age(flow, {.now = kNow, .up = 24h}), std::nullopt) << "it ended before it began";
    flow.started = kNow - 48h;
    flow.stopped = kNow;
    EXPECT_EQ(age(flow, {.now = kNow, .up = 24h}), std::nullopt);
    flow.started = kNow - 24h;
    flow.stopped = kNow + 5s;
    EXPECT_EQ(age(flow, {.now = kNow, .up = 24h}), 24h + 5s) << "it ended later than the moment that ages are told for";
}

TEST(FlowTuple, has_no_ports_where_the_kernel_has_no_tracker_for_them) {
    EXPECT_TRUE(has_ports(FlowBuilder{Protocol::Dccp}.from_port(7).flow().original));
    for (const auto protocol : {Protocol::Dccp, Protocol::Sctp, Protocol::Udplite}) {
        FlowTuple tuple;
        tuple.protocol = protocol;
        EXPECT_FALSE(has_ports(tuple));
        tuple.destination_port = 5001;
        EXPECT_TRUE(has_ports(tuple));
    }
    for (const auto protocol : {Protocol::Tcp, Protocol::Udp}) {
        FlowTuple tuple;
        tuple.protocol = protocol;
        EXPECT_TRUE(has_ports(tuple)) << "port 0 is told by the kernel";
    }
    EXPECT_FALSE(has_ports(icmp_flow().flow().original));
}

TEST(Flow, translated_addresses_are_those_after_nat) {
    const Flow flow = tcp_flow()
                          .from("10.0.1.2", 1000)
                          .to("192.0.2.1", 443)
                          .leaving_as("192.0.2.9", 5000)
                          .redirected_to("10.0.2.2", 8443);
    const FlowTuple after = translated(flow);
    EXPECT_EQ(to_string(after.source), "192.0.2.9");
    EXPECT_EQ(after.source_port, 5000);
    EXPECT_EQ(to_string(after.destination), "10.0.2.2");
    EXPECT_EQ(after.destination_port, 8443);
    EXPECT_EQ(translated(icmp_flow()), icmp_flow().tuple());
}

TEST(Flow, bytes_that_the_kernel_did_not_count_are_absent) {
    EXPECT_EQ(total_counters(tcp_flow()), std::nullopt);
    EXPECT_EQ(total_counters(tcp_flow().with_bytes(3, 4))->bytes, 7U);
}

}  // namespace flow_test
}  // namespace headgate
