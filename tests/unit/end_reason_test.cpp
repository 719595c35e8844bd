// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/destroy_decoder.h"
#include "support/flow_builder.h"

namespace headgate::testing {
namespace end_reason_test {

using flowlog::reason_of;

constexpr std::uint32_t kKernel = 0;
using States = std::initializer_list<std::uint8_t>;

Flow without_time_left(Flow flow) {
    flow.timeout.reset();
    return flow;
}

TEST(EndReason, what_a_process_deleted_is_flushed_in_whatever_state) {
    EXPECT_EQ(reason_of(tcp_flow().established(), 4711), EndReason::Flushed);
    EXPECT_EQ(reason_of(tcp_flow().in_state(7), 4711), EndReason::Flushed);
    EXPECT_EQ(reason_of(without_time_left(udp_flow()), 4711), EndReason::Flushed);
}

TEST(EndReason, what_its_protocol_had_ended_is_closed_whether_time_was_left_or_not) {
    for (const auto state : States{6, 7, 8}) {
        EXPECT_EQ(reason_of(tcp_flow().established().in_state(state), kKernel), EndReason::Closed);
        EXPECT_EQ(reason_of(without_time_left(tcp_flow().in_state(state)), kKernel), EndReason::Closed);
    }
    for (const auto state : States{1, 7})
        EXPECT_EQ(reason_of(sctp_flow().in_state(state), kKernel), EndReason::Closed);
}

TEST(EndReason, without_time_left_it_is_a_timeout) {
    EXPECT_EQ(reason_of(without_time_left(tcp_flow().established()), kKernel), EndReason::Timeout);
    EXPECT_EQ(reason_of(without_time_left(tcp_flow().in_state(4)), kKernel), EndReason::Timeout);
    EXPECT_EQ(reason_of(without_time_left(udp_flow()), kKernel), EndReason::Timeout);
    Flow none_left = icmp_flow();
    none_left.timeout = std::chrono::seconds{0};
    EXPECT_EQ(reason_of(none_left, kKernel), EndReason::Timeout);
}

TEST(EndReason, with_time_left_what_a_full_table_gives_up_is_evicted) {
    EXPECT_EQ(reason_of(udp_flow(), kKernel), EndReason::Evicted);
    EXPECT_EQ(reason_of(tcp_flow().in_state(1), kKernel), EndReason::Evicted);
    for (const auto state : States{4, 5})
        EXPECT_EQ(reason_of(tcp_flow().established().in_state(state), kKernel), EndReason::Evicted);
    for (const auto state : States{5, 6})
        EXPECT_EQ(reason_of(sctp_flow().established().in_state(state), kKernel), EndReason::Evicted);
}

TEST(EndReason, is_absent_for_what_a_full_table_would_have_kept) {
    EXPECT_EQ(reason_of(tcp_flow().established(), kKernel), std::nullopt);
    EXPECT_EQ(reason_of(udp_flow().established(), kKernel), std::nullopt);
    EXPECT_EQ(reason_of(sctp_flow().established().in_state(4), kKernel), std::nullopt);
}

TEST(EndReason, is_not_closed_for_tcp_whose_state_the_kernel_did_not_report) {
    Flow silent = tcp_flow().established();
    silent.protocol_state.reset();
    EXPECT_EQ(reason_of(without_time_left(silent), kKernel), EndReason::Timeout);
    EXPECT_EQ(reason_of(silent, kKernel), std::nullopt);
}

TEST(EndReason, is_read_as_it_is_written) {
    for (const auto reason : {EndReason::Flushed, EndReason::Closed, EndReason::Timeout, EndReason::Evicted})
        EXPECT_EQ(parse_name_in_any_case<EndReason>(to_string(reason)), reason);
    EXPECT_FALSE(parse_name_in_any_case<EndReason>("expired").has_value());
    EXPECT_NE(parse_name_in_any_case<EndReason>("expired").error().message.find("\"expired\""), std::string::npos);
}

TEST(LastState, is_that_of_the_protocol_or_whether_it_was_answered) {
    EXPECT_EQ(last_state(tcp_flow().in_state(7)), FlowState::Closed);
    EXPECT_EQ(last_state(udp_flow()), FlowState::New);
    EXPECT_EQ(last_state(udp_flow().established()), FlowState::Established);
    EXPECT_EQ(last_state(icmp_flow()), FlowState::New);
}

TEST(LastState, is_absent_where_the_protocol_has_one_that_was_not_reported) {
    for (const auto protocol : {Protocol::Tcp, Protocol::Sctp, Protocol::Dccp}) {
        Flow flow = FlowBuilder{protocol};
        EXPECT_EQ(last_state(flow), std::nullopt);
    }
}

}  // namespace end_reason_test
}  // namespace headgate::testing
