// SPDX-License-Identifier: GPL-2.0-or-later
// Removals from the kernel's table, in addition to the conformance cases for all tables.
#include "kernel/own_namespace.h"
#include "kernel/replaced_flows.h"
#include "support/flow_builder.h"
#include "support/insert_flows.h"
#include "support/remove_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {
namespace kernel_removal_test {

Moment now() {
    return {std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()), std::nullopt};
}

bool is_assured(const Flow& flow) {
    return flow.original.protocol == Protocol::Tcp;  // of flows_to_replace()
}

class KernelRemoval : public KernelTest {
  protected:
    std::vector<FlowRow> rows_of(const FlowQuery& query) {
        ScanCollector collector;
        EXPECT_TRUE(table_->scan(query, now(), collector).has_value());
        return collector.rows;
    }
    std::vector<FlowRow> remove(const std::vector<FlowRow>& rows) { return removed(*table_, rows); }
};

TEST_F(KernelRemoval, reports_the_stop_time_and_the_final_counters) {
    const std::vector<Flow> flows{tcp_flow().established().with_mark(3)};
    ASSERT_TRUE(inserted(*table_, flows));
    const auto endings = remove(rows_of(query_for_all()));
    ASSERT_EQ(endings.size(), 1U);
    const Flow& last = endings.front().flow;
    ASSERT_TRUE(last.started && last.stopped);
    EXPECT_GE(*last.stopped, *last.started);
    EXPECT_TRUE(last.counters_original.has_value());
    EXPECT_EQ(last.mark, 3U);
    EXPECT_EQ(last.status & flow_status::kDying, 0U);
}

TEST_F(KernelRemoval, of_flows_without_events_is_determined_by_a_last_lookup) {
    OwnNamespace::set_sysctl("nf_conntrack_events", "0");
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 200; ++port)
        flows.push_back(udp_flow().from_port(port));
    ASSERT_TRUE(inserted(*table_, flows));
    auto rows = rows_of(query_for_all());
    for (auto& row : rows)
        row.flow.counters_original = Counters{5, 500};  // as in an old capture
    for (const auto& ending : remove(rows)) {
        EXPECT_EQ(ending.outcome, Outcome::Flushed);
        EXPECT_EQ(ending.flow.stopped, std::nullopt);
        EXPECT_EQ(ending.flow.counters_original, Counters{});
    }
    EXPECT_TRUE(rows_of(query_for_all()).empty());
}

TEST_F(KernelRemoval, distinguishes_what_existed_and_what_was_gone_within_one_batch) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 500; ++port)
        flows.push_back(tcp_flow().from_port(port).established());
    ASSERT_TRUE(inserted(*table_, flows));
    const auto all = rows_of(query_for_all());
    remove(rows_of(query_for("source-port=1:250")));
    const auto endings = remove(all);
    ASSERT_EQ(endings.size(), 500U);
    for (const auto& ending : endings) {
        const bool gone = ending.flow.original.source_port <= 250;
        EXPECT_EQ(ending.outcome, gone ? Outcome::Gone : Outcome::Flushed) << ending.flow.original.source_port;
    }
}

TEST_F(KernelRemoval, of_flows_that_were_replaced_meanwhile_ends_none_of_the_younger) {
    const auto helper = conntrack::KernelFlowTable::open({});
    remove_replaced_flows(*table_, **helper);
}

TEST_F(KernelRemoval, spares_a_flow_that_got_a_start_time_although_the_one_that_was_found_had_none) {
    OwnNamespace::set_sysctl("nf_conntrack_timestamp", "0");
    ASSERT_TRUE(inserted(*table_, flows_to_replace(1000)));
    const auto found = rows_in(*table_);
    OwnNamespace::set_sysctl("nf_conntrack_timestamp", "1");
    replace(*table_, found);
    for (const auto& ending : remove(found))
        ASSERT_EQ(ending.outcome, Outcome::Gone);
    EXPECT_EQ(rows_in(*table_).size(), 1000U);
}

TEST_F(KernelRemoval, without_start_times_spares_a_flow_that_has_seen_less_than_the_one_that_was_found) {
    OwnNamespace::set_sysctl("nf_conntrack_timestamp", "0");
    ASSERT_TRUE(inserted(*table_, flows_to_replace(1000)));
    const auto younger = rows_in(*table_);
    auto found = younger;
    for (auto& row : found)
        row.flow.status |= flow_status::kSeenReply | flow_status::kAssured;
    for (const auto& ending : remove(found))
        EXPECT_EQ(ending.outcome, is_assured(ending.flow) ? Outcome::Flushed : Outcome::Gone);
    EXPECT_EQ(rows_in(*table_).size(), 500U);
}

TEST_F(KernelRemoval, never_reaches_a_flow_of_the_same_tuple_in_another_zone) {
    const std::vector<Flow> flows{tcp_flow().in_zone(1), tcp_flow().in_zone(2), tcp_flow()};
    ASSERT_TRUE(inserted(*table_, flows));
    auto in_zone = query_for_all();
    in_zone.zone = std::uint16_t{1};
    const auto endings = remove(rows_of(in_zone));
    ASSERT_EQ(endings.size(), 1U);
    EXPECT_EQ(endings.front().flow.zone, 1);
    EXPECT_EQ(rows_of(query_for_all()).size(), 2U);
}

}  // namespace kernel_removal_test
}  // namespace headgate::testing
