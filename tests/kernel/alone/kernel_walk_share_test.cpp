// SPDX-License-Identifier: GPL-2.0-or-later
// How many of the hash's flows match decides whether a walk goes on. The hash is shared: other tests' flows count, too.
#include <linux/capability.h>

#include <thread>

#include "conntrack/walk/hash_walk.h"
#include "conntrack/walk/walk_programs.h"
#include "kernel/capabilities.h"
#include "kernel/own_namespace.h"
#include "support/flow_builder.h"
#include "support/insert_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {
namespace kernel_walk_share_test {

class WalkShare : public KernelTest {};

TEST_F(WalkShare, of_most_flows_that_would_be_looked_up_leaves_the_table_to_a_dump) {
    const auto programs = conntrack::WalkPrograms::load();
    if (!programs) GTEST_SKIP() << programs.error().message;
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 20'000; ++port)
        flows.push_back(tcp_flow().from_port(port));
    ASSERT_TRUE(inserted(*table_, flows));
    std::vector<std::string> logged;
    std::thread{[&] {
        keep_only(bit(CAP_BPF) | bit(CAP_PERFMON) | bit(CAP_NET_ADMIN));
        if (!(*programs)->find_seeds().value().empty()) GTEST_SKIP() << "kernel.perf_event_paranoid permits symbols";
        const auto log = [&](std::string_view line) { logged.emplace_back(line); };
        const auto walking =
            std::move(*conntrack::KernelFlowTable::open({}, {std::make_shared<conntrack::HashWalk>(0, log)}));
        ScanCollector collector;
        const Moment now{std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()), {}};
        const auto report = walking->scan(query_for("source=10.0.1.2"), now, collector);
        ASSERT_TRUE(report.has_value());
        EXPECT_EQ(report->matched, 20'000U);
        EXPECT_EQ(report->restarts, 0U);
        ASSERT_GE(collector.plans.size(), 3U);
        EXPECT_NE(collector.plans[2].find("would have to be looked up, so a dump is faster"), std::string::npos)
            << collector.plans[2];
    }}.join();
    EXPECT_TRUE(logged.empty());
}

}  // namespace kernel_walk_share_test
}  // namespace headgate::testing
