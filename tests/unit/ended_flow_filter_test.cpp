// SPDX-License-Identifier: GPL-2.0-or-later
// Which ended flows a filter selects: the same in memory as in a log file.
#include "flowlog/ended_flow_filter.h"

#include <gtest/gtest.h>

#include "flowlog/record_format.h"
#include "support/ended_flows.h"

namespace headgate::flowlog {
namespace ended_flow_filter_test {

using namespace headgate::testing;
using config::FlowLogReason;

LoggedFlow record_of(const EndedFlow& ended) {
    LineBlock block;
    make_format(config::FlowLogFormat::Eve)->append(block, ended);
    return parse_record(block.line(0)).value().value();
}

/// Expects the same of the flow in memory and of its record.
bool matches(const EndedFlowFilter& filter, const EndedFlow& ended) {
    EXPECT_EQ(filter.matches(ended), filter.matches(record_of(ended)));
    return filter.matches(ended);
}

/// An operation was ending this flow when its process was killed.
EndedFlow lost_flow() {
    auto flow = flushed_flow();
    flow.reason.reset();
    return flow;
}

TEST(EndedFlowFilter, without_conditions_matches_everything) {
    const EndedFlowFilter filter;
    EXPECT_TRUE(filter.matches_everything());
    for (const auto& each : {flushed_flow(), foreign_flushed_flow(), timed_out_ping(), lost_flow()})
        EXPECT_TRUE(matches(filter, each));
}

TEST(EndedFlowFilter, selects_by_any_of_the_reasons) {
    EndedFlowFilter filter;
    filter.reasons = {EndReason::Closed, EndReason::Timeout};
    EXPECT_FALSE(filter.matches_everything());
    EXPECT_TRUE(matches(filter, timed_out_ping()));
    EXPECT_FALSE(matches(filter, flushed_flow()));
    EXPECT_FALSE(matches(filter, lost_flow()));
}

TEST(EndedFlowFilter, counts_a_flow_that_an_operation_was_ending_as_flushed) {
    EndedFlowFilter filter;
    filter.reasons = {EndReason::Flushed};
    EXPECT_TRUE(matches(filter, flushed_flow()));
    EXPECT_TRUE(matches(filter, foreign_flushed_flow()));
    EXPECT_TRUE(matches(filter, lost_flow()));
    EXPECT_FALSE(matches(filter, timed_out_ping()));
}

TEST(EndedFlowFilter, selects_by_any_of_the_flow_filters) {
    EndedFlowFilter filter;
    filter.filters = {parse_flow_filter("destination-port=443").value(), parse_flow_filter("protocol=icmp").value()};
    EXPECT_TRUE(matches(filter, flushed_flow()));
    EXPECT_TRUE(matches(filter, timed_out_ping()));
    EXPECT_FALSE(matches(filter, foreign_flushed_flow()));
    filter.filters = {parse_flow_filter("translated-source=198.51.100.1").value()};
    EXPECT_TRUE(matches(filter, flushed_flow()));
    EXPECT_FALSE(matches(filter, timed_out_ping()));
}

TEST(EndedFlowFilter, selects_by_firewall) {
    EndedFlowFilter filter;
    filter.firewalls = {"core", "edge"};
    EXPECT_TRUE(matches(filter, flushed_flow()));
    filter.firewalls = {"core"};
    EXPECT_FALSE(matches(filter, flushed_flow()));
    filter.firewalls.emplace();
    EXPECT_FALSE(matches(filter, flushed_flow())) << "none of no firewalls";
}

TEST(EndedFlowFilter, selects_by_the_time_of_the_end_with_both_limits_included) {
    auto flow = flushed_flow();
    flow.ended_at = time_of("2025-08-12T13:05:03.5Z");
    EndedFlowFilter filter;
    filter.since = flow.ended_at;
    filter.until = flow.ended_at;
    EXPECT_TRUE(matches(filter, flow));
    flow.ended_at += std::chrono::microseconds{1};
    EXPECT_FALSE(matches(filter, flow));
    flow.ended_at -= std::chrono::microseconds{2};
    EXPECT_FALSE(matches(filter, flow));
}

TEST(EndedFlowFilter, does_not_select_a_record_by_a_time_that_cannot_be_read) {
    auto record = record_of(flushed_flow());
    record.ended_at = "yesterday";
    EndedFlowFilter filter;
    EXPECT_TRUE(filter.matches(record));
    filter.since = Timestamp{};
    EXPECT_FALSE(filter.matches(record));
    filter = {};
    filter.until = Timestamp::max();
    EXPECT_FALSE(filter.matches(record));
}

TEST(EndedFlowFilter, selects_by_the_user_whose_operation_ended_the_flow) {
    EndedFlowFilter filter;
    filter.user = "alice";
    EXPECT_TRUE(matches(filter, flushed_flow()));
    EXPECT_FALSE(matches(filter, timed_out_ping()));
    EXPECT_FALSE(matches(filter, lost_flow())) << "it is uncertain that the operation ended it";
    filter.user = "bob";
    EXPECT_FALSE(matches(filter, flushed_flow()));
}

TEST(EndedFlowFilter, selects_by_the_program_that_ended_the_flow) {
    EndedFlowFilter filter;
    filter.user = "conntrack";
    EXPECT_TRUE(matches(filter, foreign_flushed_flow()));
    EXPECT_FALSE(matches(filter, flushed_flow()));
    EXPECT_FALSE(matches(filter, timed_out_ping()));
    filter.user = "port 4711";
    EXPECT_TRUE(matches(filter, foreign_flushed_flow())) << "as it is shown where the name is not known";
    for (const auto* other : {"port 471", "port 47110", "4711", "port ", "port -4711"}) {
        filter.user = other;
        EXPECT_FALSE(matches(filter, foreign_flushed_flow())) << other;
    }
}

TEST(EndedFlowFilter, selects_by_the_operation) {
    EndedFlowFilter filter;
    filter.operation_id = flushed_flow().flush->operation_id;
    EXPECT_TRUE(matches(filter, flushed_flow()));
    EXPECT_TRUE(matches(filter, lost_flow()));
    EXPECT_FALSE(matches(filter, foreign_flushed_flow()));
    filter.operation_id = "4f7b2c1e";
    EXPECT_TRUE(matches(filter, flushed_flow())) << "by the first characters of its id";
    EXPECT_FALSE(matches(filter, foreign_flushed_flow()));
    filter.operation_id = "9a60";
    EXPECT_FALSE(matches(filter, flushed_flow())) << "within the id";
}

TEST(EndedFlowFilter, requires_all_conditions) {
    EndedFlowFilter filter;
    filter.reasons = {EndReason::Flushed};
    filter.user = "alice";
    filter.firewalls = {"edge"};
    EXPECT_TRUE(matches(filter, flushed_flow()));
    filter.filters = {parse_flow_filter("protocol=udp").value()};
    EXPECT_FALSE(matches(filter, flushed_flow()));
}

TEST(EndedFlowFilter, follows_the_settings_of_the_log) {
    config::FlowLog settings;
    EXPECT_TRUE(filter_of(settings).matches_everything());
    settings.reasons = {FlowLogReason::Flushed, FlowLogReason::Evicted};
    settings.filters = {parse_flow_filter("protocol=udp").value()};
    const auto filter = filter_of(settings);
    EXPECT_EQ(filter.reasons, (std::vector{EndReason::Flushed, EndReason::Evicted}));
    EXPECT_EQ(filter.filters, settings.filters);
    settings.reasons.push_back(FlowLogReason::All);
    EXPECT_TRUE(filter_of(settings).reasons.empty());
}

}  // namespace ended_flow_filter_test
}  // namespace headgate::flowlog
