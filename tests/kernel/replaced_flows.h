// SPDX-License-Identifier: GPL-2.0-or-later
// Flows that younger ones replace, on the same tuples, after they were found and before they are removed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "headgate/flow_table.h"

#include "support/flow_builder.h"
#include "support/insert_flows.h"
#include "support/remove_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {

inline Moment moment_of_now() {
    return {.now = std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now())};
}

inline std::vector<FlowRow> rows_in(FlowTable& table) {
    ScanCollector collector;
    EXPECT_TRUE(table.scan(query_for_all(), moment_of_now(), collector).has_value());
    return collector.rows;
}

/// `count` flows, half of TCP and half of UDP, from ports 1, 2, ...
inline std::vector<Flow> flows_to_replace(std::uint16_t count) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= count / 2; ++port) {
        flows.push_back(tcp_flow().from_port(port).established());
        flows.push_back(udp_flow().from_port(port));
    }
    return flows;
}

/// Ends each flow and inserts it again. A few at a time, in reverse order, so that the kernel gives many the memory of
/// their predecessors, and so their ids.
inline void replace(FlowTable& table, const std::vector<FlowRow>& rows) {
    constexpr std::size_t kAtOnce = 32;
    for (auto rest = std::span{rows}; !rest.empty();) {
        const auto some = rest.first(std::min(rest.size(), kAtOnce));
        removed(table, some);
        std::vector<Flow> again;
        for (auto row = some.rbegin(); row != some.rend(); ++row)
            again.push_back(row->flow);
        ASSERT_TRUE(inserted(table, again));
        rest = rest.subspan(some.size());
    }
}

/// How many rows have the same id on the same tuple.
inline std::size_t count_same_ids(const std::vector<FlowRow>& before, const std::vector<FlowRow>& after) {
    const auto key = [](const Flow& flow) { return std::pair{flow.original.protocol, flow.original.source_port}; };
    std::map<std::pair<Protocol, std::uint16_t>, std::uint32_t> ids;
    for (const auto& row : before)
        ids[key(row.flow)] = row.flow.id;
    return static_cast<std::size_t>(
        std::ranges::count_if(after, [&](const FlowRow& row) { return ids[key(row.flow)] == row.flow.id; }));
}

/// HEADGATE_REPLACED_FLOWS, or few.
inline std::size_t replaced_flows_wanted() {
    const char* const wanted = std::getenv("HEADGATE_REPLACED_FLOWS");  // NOLINT(concurrency-mt-unsafe)
    return wanted != nullptr ? std::stoul(wanted) : 12'000;
}

/// Removes, in rounds, flows that were replaced meanwhile: each must be gone, and each younger one survive. `remover`
/// removes; `helper` is another table of the same namespace.
inline void remove_replaced_flows(FlowTable& remover, FlowTable& helper) {
    constexpr std::uint16_t kPerRound = 4000;
    std::size_t same_ids = 0;
    for (std::size_t round = 0; round < replaced_flows_wanted() / kPerRound; ++round) {
        ASSERT_TRUE(inserted(helper, flows_to_replace(kPerRound)));
        const auto found = rows_in(remover);
        ASSERT_EQ(found.size(), kPerRound);
        replace(helper, found);
        const auto younger = rows_in(helper);
        same_ids += count_same_ids(found, younger);
        const auto endings = removed(remover, found);
        const auto gone = std::ranges::count(endings, std::optional{Outcome::Gone}, &FlowRow::outcome);
        ASSERT_EQ(gone, kPerRound) << "in round " << round;
        for (const auto& ending : removed(helper, younger))
            ASSERT_EQ(ending.outcome, Outcome::Flushed) << "a younger flow was ended in round " << round;
    }
    EXPECT_GT(same_ids, 0U) << "the id alone was enough";
    ::testing::Test::RecordProperty("same_ids", static_cast<int>(same_ids));
}

}  // namespace headgate::testing
