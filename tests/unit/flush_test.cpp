#include "operations/flush.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>

#include "support/flow_builder.h"
#include "support/memory_flow_table.h"
#include "support/memory_ruleset.h"

namespace headgate::operations {
namespace {

using namespace headgate::testing;

class RecordingObserver final : public FlushObserver {
  public:
    Result<void> confirm(const FlushPreview& preview) override {
        previews.push_back(preview);
        previews.back().first_rows = {};
        return answer;
    }
    void begun(const FlowOperation& /*operation*/) override { ++beginnings; }
    [[nodiscard]] bool stop_requested() const override { return stop_after && endings.size() >= *stop_after; }
    void ended(const FlowEnding& ending) override { endings.push_back(ending); }
    void would_end(const Flow& flow) override { would_be_ended.push_back(flow); }

    std::vector<FlushPreview> previews;
    std::vector<FlowEnding> endings;
    std::vector<Flow> would_be_ended;
    Result<void> answer;
    std::optional<std::size_t> stop_after;
    int beginnings = 0;
};

class Flushing : public ::testing::Test {
  protected:
    Flushing() {
        std::vector<Flow> flows;
        for (std::uint16_t port = 1; port <= 10; ++port)
            flows.push_back(tcp_flow().from_port(port).established());
        EXPECT_TRUE(table_.insert(flows).has_value());
        request_.query = query_for("source-port=1:4");
    }

    Result<FlowOperation> flush() { return run_flush(table_, ruleset_, clock_, request_, observer_); }

    MemoryFlowTable table_;
    MemoryRuleset ruleset_;
    SystemClock clock_;
    FlushRequest request_;
    RecordingObserver observer_;
};

TEST_F(Flushing, ends_exactly_the_flows_that_match) {
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->status, OperationStatus::Completed);
    EXPECT_EQ(operation->counts.scanned, 10U);
    EXPECT_EQ(operation->counts.matched, 4U);
    EXPECT_EQ(operation->counts.flushed, 4U);
    EXPECT_EQ(table_.flows.size(), 6U);
    EXPECT_EQ(observer_.endings.size(), 4U);
}

TEST_F(Flushing, asks_once_before_the_first_delete_and_takes_no_for_an_answer) {
    observer_.answer = refused("no");
    const auto operation = flush();
    ASSERT_FALSE(operation.has_value());
    EXPECT_EQ(operation.error().kind, ErrorKind::Refused);
    ASSERT_EQ(observer_.previews.size(), 1U);
    EXPECT_EQ(observer_.previews.front().matched, 4U);
    EXPECT_EQ(table_.removals_asked, 0U);
    EXPECT_EQ(observer_.beginnings, 0);
}

TEST_F(Flushing, does_not_ask_when_nothing_matches) {
    request_.query = query_for("source-port=999");
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.matched, 0U);
    EXPECT_TRUE(observer_.previews.empty());
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
    request_.dry_run = true;
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.matched, 4U);
    EXPECT_EQ(operation->counts.flushed, 0U);
    EXPECT_EQ(observer_.would_be_ended.size(), 4U);
    EXPECT_TRUE(observer_.previews.empty());
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Flushing, dry_tells_which_captured_flows_are_gone) {
    const std::vector<FlowRow> captured{{table_.flows[8], {}}, {table_.flows[9], {}}};
    request_.captured = [&](const auto& take) { return take(captured); };
    request_.dry_run = true;
    table_.flows.pop_back();
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.gone, 1U);
    EXPECT_EQ(observer_.would_be_ended.size(), 1U);
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Flushing, that_is_interrupted_leaves_the_rest_alone_and_tells_every_flow) {
    for (std::uint16_t port = 1000; port < 2000; ++port) {
        const Flow flow = udp_flow().from_port(port);
        ASSERT_TRUE(table_.insert({&flow, 1}).has_value());
    }
    request_.query = query_for("protocol=udp");
    observer_.stop_after = 200;
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(operation->counts.flushed, 256U) << "the block that was on its way";
    EXPECT_EQ(operation->counts.failed, 744U);
    EXPECT_EQ(observer_.endings.size(), 1000U);
    EXPECT_EQ(observer_.endings.back().error, ECANCELED);
    EXPECT_NE(operation->detail.find("interrupted"), std::string::npos);
    EXPECT_EQ(table_.flows.size(), 10U + 744U);
}

TEST_F(Flushing, leaves_protected_flows_alone_and_counts_them) {
    // Named the other way round, as an SSH session may be: protection holds in both directions.
    request_.protected_filters = {parse_flow_filter("source=10.0.2.2,destination-port=2:3").value()};
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->status, OperationStatus::Completed);
    EXPECT_EQ(operation->counts.flushed, 2U);
    EXPECT_EQ(operation->counts.protected_flows, 2U);
    EXPECT_EQ(observer_.previews.front().protected_flows, 2U);
    EXPECT_EQ(observer_.endings[1].outcome, Outcome::Protected);
    EXPECT_EQ(table_.flows.size(), 8U);
}

TEST_F(Flushing, protects_by_translated_addresses_too) {
    const Flow redirected = tcp_flow().from("198.51.100.7", 5555).to("192.0.2.1", 2222).redirected_to("10.0.0.1", 22);
    ASSERT_TRUE(table_.insert({&redirected, 1}).has_value());
    request_.query = query_for_all();
    request_.protected_filters = {
        parse_flow_filter("source=198.51.100.7,destination=10.0.0.1,destination-port=22").value()};
    EXPECT_EQ(flush()->counts.protected_flows, 1U);
}

TEST_F(Flushing, counts_what_ended_by_itself_as_gone) {
    observer_.answer = {};
    class EndingMeanwhile final : public FlushObserver {
      public:
        explicit EndingMeanwhile(MemoryFlowTable& table) : table_(table) {}
        Result<void> confirm(const FlushPreview& /*preview*/) override {
            table_.flows.pop_front();
            return {};
        }
        void begun(const FlowOperation& /*operation*/) override {}
        void ended(const FlowEnding& /*ending*/) override {}
        void would_end(const Flow& /*flow*/) override {}

      private:
        MemoryFlowTable& table_;
    } observer{table_};
    const auto operation = run_flush(table_, ruleset_, clock_, request_, observer);
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.flushed, 3U);
    EXPECT_EQ(operation->counts.gone, 1U);
    EXPECT_EQ(operation->status, OperationStatus::Completed);
}

TEST_F(Flushing, completes_with_errors_and_keeps_each_errno) {
    table_.failing[table_.flows[1].id] = EBUSY;
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(operation->status_message, "Flow operation error");
    EXPECT_EQ(operation->counts.flushed, 3U);
    EXPECT_EQ(operation->counts.failed, 1U);
    EXPECT_EQ(observer_.endings[1].error, EBUSY);
}

TEST_F(Flushing, of_captured_flows_ends_exactly_those_and_asks_no_query) {
    const std::vector<FlowRow> captured{{table_.flows[8], {}}, {table_.flows[9], {}}};
    request_.query = {};
    request_.captured = [&](const auto& take) { return take(captured); };
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->counts.flushed, 2U);
    EXPECT_EQ(table_.flows.size(), 8U);
}

TEST_F(Flushing, of_a_capture_that_cannot_be_read_changes_nothing) {
    request_.captured = [&](const auto& take) -> Result<void> {
        const FlowRow row{table_.flows.front(), {}};
        if (auto taken = take({&row, 1}); !taken) return taken;
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
    request_.query = query_for("protocol=udp");
    request_.dry_run = true;
    const auto operation = flush();
    ASSERT_TRUE(operation.has_value());
    ASSERT_EQ(observer_.would_be_ended.size(), flows.size());
    for (std::size_t i = 0; i < flows.size(); ++i)
        EXPECT_EQ(observer_.would_be_ended[i].original, flows[i].original);
}

}  // namespace
}  // namespace headgate::operations
