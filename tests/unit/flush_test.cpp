// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <cerrno>

#include "support/flush_rehearsal.h"
#include "support/insert_flows.h"

namespace headgate::operations {
namespace flush_test {

using namespace headgate::testing;

class Flushing : public FlushRehearsal {
  protected:
    Flushing() {
        std::vector<Flow> flows;
        for (std::uint16_t port = 1; port <= 10; ++port)
            flows.push_back(tcp_flow().from_port(port).established());
        EXPECT_TRUE(inserted(table_, flows));
        operation_.query = query_for("source-port=1:4");
    }
};

TEST_F(Flushing, ends_exactly_the_flows_that_match) {
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->status, OperationStatus::Completed);
    EXPECT_EQ(operation->counts.scanned, 10U);
    EXPECT_EQ(operation->counts.matched, 4U);
    EXPECT_EQ(operation->counts.flushed, 4U);
    EXPECT_EQ(table_.flows.size(), 6U);
    EXPECT_EQ(listener_.endings.size(), 4U);
}

TEST_F(Flushing, journals_every_flow_before_it_is_ended) {
    table_.at_removal = [&] { EXPECT_EQ(listener_.journaled, 4U); };
    EXPECT_EQ(flush()->counts.flushed, 4U);
    EXPECT_EQ(listener_.beginnings, 1);
}

TEST_F(Flushing, that_cannot_be_journaled_ends_nothing) {
    listener_.journal_fails = ENOSPC;
    const auto operation = flush();
    ASSERT_FALSE(operation.has_value());
    EXPECT_EQ(operation.error().kind, ErrorKind::DiskFault);
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Flushing, whose_beginning_cannot_be_recorded_changes_nothing) {
    listener_.at_beginning = [] { return failed("no"); };
    EXPECT_FALSE(flush().has_value());
    EXPECT_EQ(table_.removals_asked, 0U);
    EXPECT_TRUE(listener_.endings.empty());
}

TEST_F(Flushing, of_nothing_is_complete) {
    operation_.query = query_for("source-port=999");
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->status, OperationStatus::Completed);
    EXPECT_EQ(operation->counts.matched, 0U);
    EXPECT_EQ(listener_.journaled, 0U);
}

TEST_F(Flushing, of_more_than_the_maximum_is_refused_before_the_first_delete) {
    request_.maximum_flows = 3;
    const auto operation = flush();
    ASSERT_FALSE(operation.has_value());
    EXPECT_EQ(operation.error().message, "4 flows match, more than --max-flows 3: nothing was flushed");
    EXPECT_EQ(table_.removals_asked, 0U);
    request_.maximum_flows = 4;
    EXPECT_TRUE(flush().has_value());
}

TEST_F(Flushing, dry_stops_before_the_delete) {
    operation_.dry_run = true;
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.matched, 4U);
    EXPECT_EQ(operation->counts.flushed, 0U);
    EXPECT_EQ(would_be_flushed(*operation), 4U);
    EXPECT_EQ(listener_.would_be_ended.size(), 4U);
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Flushing, dry_reports_which_captured_flows_are_gone) {
    const std::vector<FlowRow> captured{{table_.flows[8], {}}, {table_.flows[9], {}}};
    request_.captured = captured_before(captured);
    operation_.dry_run = true;
    table_.flows.pop_back();
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.gone, 1U);
    EXPECT_EQ(listener_.would_be_ended.size(), 1U);
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Flushing, that_is_interrupted_leaves_the_rest_alone_and_reports_every_flow) {
    for (std::uint16_t port = 1000; port < 11'000; ++port)
        table_.flows.push_back(udp_flow().from_port(port).with_id(port));
    operation_.query = query_for("protocol=udp");
    listener_.before_block = [&]() -> Result<void> {
        if (listener_.endings.empty()) return {};
        return tl::unexpected(Error{ErrorKind::Cancelled, "interrupted"});
    };
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(operation->counts.flushed, 4096U) << "the block that was on its way";
    EXPECT_EQ(operation->counts.failed, 5904U);
    EXPECT_EQ(listener_.endings.size(), 10'000U);
    EXPECT_EQ(listener_.endings.back().error, ECANCELED);
    EXPECT_EQ(operation->detail, "interrupted");
    EXPECT_EQ(table_.flows.size(), 10U + 5904U);
}

TEST_F(Flushing, that_reaches_its_deadline_between_blocks_reports_it) {
    listener_.before_block = [] { return tl::unexpected(Error{ErrorKind::TimedOut, "the deadline was reached"}); };
    const auto operation = flush();
    ASSERT_FALSE(operation.has_value()) << "nothing was ended";
    EXPECT_EQ(operation.error().kind, ErrorKind::TimedOut);
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Flushing, leaves_protected_flows_alone_and_counts_them) {
    // The filter names the reply direction, as that of an SSH session may: protection applies to both directions.
    request_.protected_filters = {parse_flow_filter("source=10.0.2.2,destination-port=2:3").value()};
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->status, OperationStatus::Completed);
    EXPECT_EQ(operation->counts.flushed, 2U);
    EXPECT_EQ(operation->counts.protected_flows, 2U);
    EXPECT_EQ(listener_.journaled, 2U);
    EXPECT_EQ(table_.flows.size(), 8U);
}

TEST_F(Flushing, says_by_which_rules_flows_were_protected_and_counts_each_flow_once) {
    const auto filter = [](std::string_view text) { return parse_flow_filter(text).value(); };
    request_.protected_filters = {filter("source-port=9"), filter("source-port=1:3,protocol=tcp"),
                                  filter("source-port=3"), filter("source-port=1:3,protocol=tcp")};
    request_.ssh.sessions = {filter("source-port=1")};
    request_.own_flows = filter("source-port=4");
    const std::vector<ProtectedBy> rules{{"SSH sessions into this machine", 1},
                                         {"connection of the caller to the agent", 1},
                                         {"protected: source-port=1:3,protocol=tcp", 2}};
    EXPECT_EQ(flush()->protected_by, rules);
    request_.ssh.is_own = true;
    operation_.dry_run = true;
    const auto operation = flush();
    EXPECT_EQ(operation->protected_by.front(), (ProtectedBy{"SSH session of the caller", 1}));
    EXPECT_EQ(operation->counts.protected_flows, 4U);
    EXPECT_EQ(would_be_flushed(*operation), 0U);
    EXPECT_EQ(table_.removals_asked, 0U);
    request_ = {};
    EXPECT_TRUE(flush()->protected_by.empty());
}

TEST_F(Flushing, leaves_ssh_sessions_alone_and_reports_how_many_and_why) {
    request_.ssh.sessions = {parse_flow_filter("source-port=2:3").value()};
    const auto operation = flush();
    EXPECT_EQ(operation->counts.protected_flows, 2U);
    EXPECT_EQ(operation->counts.flushed, 2U);
    EXPECT_EQ(operation->warnings.back(),
              "2 flows are left alone as SSH sessions into this machine: which one is the caller's is not known");
    request_.ssh.is_own = true;
    EXPECT_EQ(flush()->counts.protected_flows, 2U);
    const auto again = flush();
    for (const auto& warning : again->warnings)
        EXPECT_EQ(warning.find("SSH"), std::string::npos) << warning;
}

TEST_F(Flushing, warns_of_connections_that_may_be_ssh_sessions_where_it_ends_one) {
    request_.ssh.unknown = {parse_flow_filter("source-port=4").value(), parse_flow_filter("source-port=9").value()};
    const auto operation = flush();
    EXPECT_EQ(operation->counts.flushed, 4U);
    EXPECT_EQ(operation->warnings.back(),
              "1 flow is a connection into this machine, to a process that cannot be seen from here, and not left "
              "alone: if it serves SSH, name its port in protected");
}

TEST_F(Flushing, warns_where_ssh_sessions_could_not_be_looked_for) {
    request_.ssh.fault = "no";
    EXPECT_EQ(flush()->warnings.back(),
              "SSH sessions into this machine could not be looked for, so one may be flushed: no");
}

TEST_F(Flushing, protects_by_translated_addresses_too) {
    const Flow redirected = tcp_flow().from("198.51.100.7", 5555).to("192.0.2.1", 2222).redirected_to("10.0.0.1", 22);
    ASSERT_TRUE(inserted(table_, {&redirected, 1}));
    operation_.query = query_for_all();
    request_.protected_filters = {
        parse_flow_filter("source=198.51.100.7,destination=10.0.0.1,destination-port=22").value()};
    EXPECT_EQ(flush()->counts.protected_flows, 1U);
}

TEST_F(Flushing, counts_what_ended_by_itself_as_gone) {
    listener_.at_beginning = [&]() -> Result<void> {
        table_.flows.pop_front();
        return {};
    };
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.flushed, 3U);
    EXPECT_EQ(operation->counts.gone, 1U);
    EXPECT_EQ(operation->status, OperationStatus::Completed);
}

TEST_F(Flushing, matches_the_whole_query_again_before_it_ends_a_flow) {
    operation_.query.states = StateScope::Established;
    operation_.query.mark = MarkMatch{0};
    table_.at_removal = [&] {
        table_.flows[0].mark = 7;
        table_.flows[1].protocol_state = std::uint8_t{7};
    };
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.matched, 4U);
    EXPECT_EQ(operation->counts.flushed, 2U);
    EXPECT_EQ(operation->counts.gone, 2U);
    EXPECT_EQ(table_.flows.size(), 8U);
}

TEST_F(Flushing, says_that_it_ended_a_flow_that_replaced_one_in_the_last_instant) {
    constexpr Timestamp kOlder{std::chrono::hours{1}};
    constexpr Timestamp kYounger{std::chrono::hours{2}};
    operation_.query = query_for("source-port=1:2");
    for (auto& flow : table_.flows)
        flow.started = kOlder;
    table_.in_the_last_instant = [&](Flow& flow) {
        if (flow.original.source_port == 2) flow.started = kYounger;
    };
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.flushed, 2U);
    EXPECT_EQ(listener_.endings[0].flow.started, kOlder);
    EXPECT_EQ(listener_.endings[1].flow.started, kYounger);
    EXPECT_TRUE(operation->warnings.back().starts_with("1 flow was replaced")) << operation->warnings.back();
}

TEST_F(Flushing, of_captured_flows_ends_them_whatever_has_become_of_them) {
    request_.captured = captured_before({{table_.flows[8], {}}});
    operation_.query = {};
    operation_.query.mark = MarkMatch{9};
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.flushed, 1U);
}

TEST_F(Flushing, completes_with_errors_and_keeps_each_errno) {
    table_.failing[table_.flows[1].id] = EBUSY;
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(operation->status_message, "Flow operation error");
    EXPECT_EQ(operation->counts.flushed, 3U);
    EXPECT_EQ(operation->counts.failed, 1U);
    EXPECT_EQ(listener_.endings[1].error, EBUSY);
}

TEST_F(Flushing, of_captured_flows_ends_exactly_those_and_asks_no_query) {
    const std::vector<FlowRow> captured{{table_.flows[8], {}}, {table_.flows[9], {}}};
    operation_.query = {};
    request_.captured = captured_before(captured);
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.flushed, 2U);
    EXPECT_EQ(table_.flows.size(), 8U);
}

TEST_F(Flushing, of_captured_flows_without_time_stamps_warns_what_that_means) {
    table_.flows[8].started.reset();
    const std::vector<FlowRow> captured{{table_.flows[8], {}}};
    request_.captured = captured_before(captured);
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_TRUE(operation->warnings.back().starts_with("1 captured flow has no time stamp"))
        << operation->warnings.back();
}

TEST_F(Flushing, whose_outcomes_cannot_be_written_is_not_complete) {
    listener_.ending_fails = ENOSPC;
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.flushed, 4U);
    EXPECT_EQ(operation->status, OperationStatus::CompletedWithErrors);
    EXPECT_FALSE(operation->detail.empty());
}

TEST_F(Flushing, of_captured_flows_out_of_reach_is_refused) {
    const std::vector<FlowRow> captured{{table_.flows[8], {}}, {udp_flow().in_zone(7), {}}};
    request_.captured = captured_before(captured);
    request_.query.zone = 0;
    const auto operation = flush();
    ASSERT_FALSE(operation.has_value());
    EXPECT_EQ(operation.error().message,
              "a flow of conntrack zone 7 was captured, and the endpoint is zone 0: nothing was flushed");
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Flushing, of_flows_that_were_captured_elsewhere_is_refused) {
    operation_.endpoint = {"edge", "a", ""};
    const std::vector<FlowRow> captured{{table_.flows[8], {}}};
    struct {
        Endpoint where;
        const char* message;
    } const cases[] = {
        {{"edge", "b", ""}, "the capture was on firewall edge in b, and this flush is on firewall edge in a"},
        {{"core", "a", ""}, "the capture was on firewall core in a, and this flush is on firewall edge in a"},
        {{"edge", "a", "gw"}, "the capture was in network namespace gw, and this flush is on firewall edge in a"},
    };
    for (const auto& [where, message] : cases) {
        request_.captured = captured_before(captured, where);
        const auto operation = flush();
        ASSERT_FALSE(operation.has_value());
        EXPECT_EQ(operation.error().kind, ErrorKind::Refused);
        EXPECT_EQ(operation.error().message, std::string{message} + ": nothing was flushed");
    }
    EXPECT_EQ(table_.removals_asked, 0U);
    request_.captured = captured_before(captured, operation_.endpoint);
    EXPECT_EQ(flush().value().counts.flushed, 1U);
}

TEST_F(Flushing, of_a_capture_that_cannot_be_read_changes_nothing) {
    request_.captured = [&](const auto& sink) -> Result<std::optional<Endpoint>> {
        const FlowRow row{table_.flows.front(), {}};
        if (auto passed = sink({&row, 1}); !passed) return tl::unexpected(passed.error());
        return failed("the second half is missing");
    };
    EXPECT_FALSE(flush().has_value());
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Flushing, handles_more_rows_than_it_keeps_in_memory) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1000; port < 11'000; ++port)
        flows.push_back(udp_flow().from_port(port));
    for (const auto& flow : flows)
        table_.flows.push_back(flow);
    std::uint32_t id = 100'000;
    for (auto& flow : table_.flows)
        flow.id = id++;
    operation_.query = query_for("protocol=udp");
    operation_.dry_run = true;
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    ASSERT_EQ(listener_.would_be_ended.size(), flows.size());
    for (std::size_t i = 0; i < flows.size(); ++i)
        EXPECT_EQ(listener_.would_be_ended[i].original, flows[i].original);
}

}  // namespace flush_test
}  // namespace headgate::operations
