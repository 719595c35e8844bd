// SPDX-License-Identifier: GPL-2.0-or-later
// Ends flows by letting them expire, and compares with deletions.
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "conntrack/expiry/flow_expiry.h"
#include "kernel/capabilities.h"
#include "kernel/heard_ends.h"
#include "kernel/own_namespace.h"
#include "kernel/replaced_flows.h"
#include "support/flow_table_conformance.h"

namespace headgate::testing {
namespace kernel_flow_expiry_test {

using conntrack::DestroyEvents;
using conntrack::ExpiredFlows;
using conntrack::FlowExpiry;
using conntrack::KernelFlowTable;

/// TCP and UDP, IPv4 and IPv6, translated ones, in two states; and, in the end, flows that do not expire.
std::vector<Flow> flows_of_all_kinds() {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 100; ++port) {
        flows.push_back(tcp_flow().from("10.1.0.1", port).established().with_mark(port));
        flows.push_back(tcp_flow().from("10.1.0.2", port).in_state(1));
        flows.push_back(udp_flow().from("10.1.0.3", port).established());
        flows.push_back(tcp_flow().from("2001:db8:1::2", port).to("2001:db8:2::2", 443).established());
        flows.push_back(udp_flow().from("2001:db8:1::3", port).to("2001:db8:2::2", 53));
        flows.push_back(tcp_flow().from("10.1.0.4", port).established().leaving_as("192.0.2.9", 20000 + port));
        flows.push_back(tcp_flow().from("10.1.0.5", port).to("192.0.2.1", 443).redirected_to("10.0.2.2", 8443));
    }
    flows.push_back(icmp_flow().from("10.1.0.6"));
    flows.push_back(icmpv6_flow());
    flows.push_back(sctp_flow().from("10.1.0.7", 1).in_state(4));
    return flows;
}

bool expires(const Flow& flow) {
    return flow.original.protocol == Protocol::Tcp || flow.original.protocol == Protocol::Udp;
}

/// As results show a flow, without what depends on the time and the entry.
Flow comparable(Flow flow) {
    flow.id = 0;
    flow.started.reset();
    flow.stopped.reset();
    flow.timeout.reset();
    return flow;
}

class KernelFlowExpiry : public KernelTest {
  protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped()) return;
        expiring_ = std::move(*KernelFlowTable::open({}, {nullptr, expiry_}));
        auto events = DestroyEvents::open({}, {});
        ASSERT_TRUE(events.has_value());
        events_.emplace(std::move(*events));
        if (built_without_programs()) GTEST_SKIP() << lines_.front();
    }

    bool built_without_programs() {
        EXPECT_TRUE(inserted(*table_, std::vector<Flow>{udp_flow()}));
        removed(*expiring_, rows_in(*table_));
        heard(*events_);
        return !lines_.empty() && lines_.front().find("built without") != std::string::npos;
    }

    /// Of these flows, inserted anew.
    std::vector<FlowRow> endings_of(FlowTable& remover, const std::vector<Flow>& flows,
                                    const Confirmation& confirm = unconditionally) {
        EXPECT_TRUE(inserted(*table_, flows));
        auto rows = rows_in(*table_);
        std::ranges::sort(rows, {}, [&](const FlowRow& row) {
            return std::ranges::find(flows, row.flow.original, &Flow::original) - flows.begin();
        });
        return removed(remover, rows, confirm);
    }

    std::vector<std::string> lines_;
    std::shared_ptr<ExpiredFlows> expired_ = std::make_shared<ExpiredFlows>();
    std::shared_ptr<FlowExpiry> expiry_ =
        std::make_shared<FlowExpiry>(1, expired_, [this](std::string_view line) { lines_.emplace_back(line); });
    std::unique_ptr<KernelFlowTable> expiring_;
    std::optional<DestroyEvents> events_;
};

TEST_F(KernelFlowExpiry, has_the_outcomes_of_deletions) {
    const auto flows = flows_of_all_kinds();
    const auto confirm = [](const Flow& flow) { return flow.mark.value_or(0) % 7 != 1; };
    const auto deleted = endings_of(*table_, flows, confirm);
    removed(*table_, rows_in(*table_));
    const auto expired = endings_of(*expiring_, flows, confirm);
    EXPECT_EQ(lines_, std::vector<std::string>{});
    ASSERT_EQ(deleted.size(), flows.size());
    ASSERT_EQ(expired.size(), flows.size());
    for (std::size_t i = 0; i < flows.size(); ++i) {
        EXPECT_EQ(expired[i].outcome, deleted[i].outcome) << i;
        EXPECT_EQ(expired[i].error, 0) << i;
        EXPECT_EQ(comparable(expired[i].flow), comparable(deleted[i].flow)) << i;
        EXPECT_EQ(expired[i].flow.stopped.has_value(), deleted[i].flow.stopped.has_value()) << i;
        EXPECT_GE(expired[i].flow.stopped, deleted[i].flow.stopped) << i;
    }
    EXPECT_EQ(rows_in(*table_).size(), 15U) << "those that were not confirmed";
}

TEST_F(KernelFlowExpiry, is_by_the_kernel_and_that_of_others_by_headgate) {
    endings_of(*expiring_, flows_of_all_kinds());
    for (const auto& end : await(*events_))
        EXPECT_TRUE(expires(end.flow)) << "only those come from port 0";
    EXPECT_TRUE(rows_in(*table_).empty());
}

TEST_F(KernelFlowExpiry, is_known_by_its_identity_once) {
    endings_of(*expiring_, flows_of_all_kinds());
    const auto ends = await(*events_);
    ASSERT_EQ(ends.size(), 700U);
    for (const auto& end : ends) {
        EXPECT_TRUE(expired_->forget(end.flow));
        EXPECT_FALSE(expired_->forget(end.flow));
    }
}

TEST_F(KernelFlowExpiry, reports_the_final_counters) {
    auto flows = flows_of_all_kinds();
    for (const auto& ending : endings_of(*expiring_, flows)) {
        EXPECT_EQ(ending.flow.counters_original, Counters{});
        EXPECT_EQ(ending.flow.counters_reply, Counters{});
    }
    OwnNamespace::set_sysctl("nf_conntrack_acct", "0");
    for (const auto& ending : endings_of(*expiring_, flows)) {
        EXPECT_EQ(ending.outcome, Outcome::Flushed);
        EXPECT_EQ(ending.flow.counters_original, std::nullopt);
    }
}

TEST_F(KernelFlowExpiry, leaves_flows_without_a_start_time_to_deletions) {
    OwnNamespace::set_sysctl("nf_conntrack_timestamp", "0");
    for (const auto& ending : endings_of(*expiring_, flows_of_all_kinds()))
        EXPECT_EQ(ending.outcome, Outcome::Flushed);
    EXPECT_TRUE(heard(*events_).empty()) << "by the ports of flushes alone";
}

TEST_F(KernelFlowExpiry, leaves_flows_that_changed_to_the_confirmation_of_what_they_are_now) {
    ASSERT_TRUE(inserted(*table_, std::vector<Flow>{tcp_flow().established().with_mark(5), udp_flow().established()}));
    auto rows = rows_in(*table_);
    for (auto& row : rows) {
        row.flow.mark = row.flow.original.protocol == Protocol::Tcp ? 4U : 0U;
        row.flow.status &= ~flow_status::kSeenReply;
    }
    std::size_t asked = 0;
    const auto endings = removed(*expiring_, rows, [&](const Flow& flow) {
        ++asked;
        return (flow.status & flow_status::kSeenReply) == 0;
    });
    EXPECT_EQ(asked, 4U) << "as it was found, and as it is now";
    for (const auto& ending : endings)
        EXPECT_EQ(ending.outcome, Outcome::Gone);
    EXPECT_EQ(rows_in(*table_).size(), 2U);
}

TEST_F(KernelFlowExpiry, reaches_the_zone_of_a_flow_alone) {
    const std::vector<Flow> flows{tcp_flow().in_zone(1), tcp_flow().in_zone(2), tcp_flow(),
                                  udp_flow().in_zone(3, ZoneDirection::Original),
                                  udp_flow().in_zone(4, ZoneDirection::Reply)};
    ASSERT_TRUE(inserted(*table_, flows));
    for (const auto& row : rows_in(*table_)) {
        const auto before = rows_in(*table_).size();
        EXPECT_EQ(removed(*expiring_, std::span{&row, 1}).front().outcome, Outcome::Flushed) << row.flow.zone;
        EXPECT_EQ(rows_in(*table_).size(), before - 1);
    }
}

TEST_F(KernelFlowExpiry, of_flows_that_were_replaced_meanwhile_ends_none_of_the_younger) {
    remove_replaced_flows(*expiring_, *table_);
    EXPECT_EQ(lines_, std::vector<std::string>{});
}

/// By its full tuple, which takes one look-up.
std::vector<FlowRow> the_flow(FlowTable& table) {
    auto query = query_for("source=10.0.1.2,source-port=40000,destination=10.0.2.2,destination-port=80,protocol=udp");
    query.zone = std::uint16_t{0};
    ScanCollector collector;
    EXPECT_TRUE(table.scan(query, moment_of_now(), collector).has_value());
    return collector.rows;
}

TEST_F(KernelFlowExpiry, never_ends_a_younger_flow_in_the_instant_before_the_end) {
    const std::vector<Flow> flows{udp_flow()};
    std::atomic<bool> stop = false;
    std::thread replacing{[&] {
        const auto table = std::move(*KernelFlowTable::open({}));
        while (!stop) {
            static_cast<void>(table->insert(flows, [](const Flow&, Insertion, int) {}));
            removed(*table, the_flow(*table));
        }
    }};
    int ended = 0;
    for (int i = 0; i < 3000; ++i) {
        const auto rows = the_flow(*table_);
        for (const auto& ending : removed(*expiring_, rows)) {
            if (ending.outcome != Outcome::Flushed) continue;
            ++ended;
            EXPECT_EQ(ending.flow.started, rows.front().flow.started);
        }
    }
    stop = true;
    replacing.join();
    RecordProperty("ended", ended);
    EXPECT_EQ(lines_, std::vector<std::string>{});
}

TEST_F(KernelFlowExpiry, of_a_process_without_listeners_spares_those_of_others) {
    const auto without = std::make_shared<FlowExpiry>(1, nullptr);
    const auto table = KernelFlowTable::open({}, {nullptr, without});
    endings_of(**table, flows_of_all_kinds());
    EXPECT_TRUE(heard(*events_).empty()) << "all were deleted";
    EXPECT_TRUE(rows_in(*table_).empty());
}

TEST_F(KernelFlowExpiry, is_in_the_network_namespace_of_the_table) {
    ASSERT_TRUE(inserted(*table_, std::vector<Flow>{udp_flow()}));
    std::string path;
    std::unique_ptr<KernelFlowTable> other;
    std::thread{[&] {
        ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
        path = fmt::format("/proc/{}/task/{}/ns/net", ::getpid(), ::gettid());
        const OwnNamespace second;
        other = std::move(*KernelFlowTable::open(netlink::NetworkNamespace::open(path).value(), {nullptr, expiry_}));
    }}.join();
    ASSERT_TRUE(inserted(*other, std::vector<Flow>{udp_flow()}));
    EXPECT_EQ(removed(*other, rows_in(*other)).front().outcome, Outcome::Flushed);
    EXPECT_TRUE(rows_in(*other).empty());
    EXPECT_EQ(rows_in(*table_).size(), 1U);
}

TEST_F(KernelFlowExpiry, without_the_privileges_is_a_deletion_and_says_so_once) {
    std::vector<std::string> lines;
    const auto expiry =
        std::make_shared<FlowExpiry>(1, expired_, [&](std::string_view line) { lines.emplace_back(line); });
    const auto table = KernelFlowTable::open({}, {nullptr, expiry});
    ASSERT_TRUE(inserted(*table_, flows_of_all_kinds()));
    const auto rows = rows_in(*table_);
    std::thread{[&] {
        keep_only(bit(CAP_NET_ADMIN));
        for (const auto& ending : removed(**table, std::span{rows}.first(300)))
            EXPECT_EQ(ending.outcome, Outcome::Flushed);
        for (const auto& ending : removed(**table, std::span{rows}.subspan(300)))
            EXPECT_EQ(ending.outcome, Outcome::Flushed);
    }}.join();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines.front(),
              "fast flushes are off, and flows are deleted instead: loading the programs: Operation not permitted "
              "(needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)");
}

TEST_F(KernelFlowExpiry, takes_three_capabilities) {
    ASSERT_TRUE(inserted(*table_, flows_of_all_kinds()));
    const auto rows = rows_in(*table_);
    const auto expiry =
        std::make_shared<FlowExpiry>(1, expired_, [this](std::string_view line) { lines_.emplace_back(line); });
    const auto table = KernelFlowTable::open({}, {nullptr, expiry});
    std::thread{[&] {
        keep_only(bit(CAP_BPF) | bit(CAP_PERFMON) | bit(CAP_NET_ADMIN));
        removed(**table, rows);
    }}.join();
    EXPECT_EQ(lines_, std::vector<std::string>{});
    EXPECT_FALSE(await(*events_).empty());
}

}  // namespace kernel_flow_expiry_test

class ExpiringInTheKernel {
  public:
    ExpiringInTheKernel() {
        auto opened =
            conntrack::KernelFlowTable::open({}, {nullptr, std::make_shared<conntrack::FlowExpiry>(1, nullptr)});
        if (opened) table_ = std::move(*opened);
    }
    static constexpr bool kIgnoresIds = true;

    FlowTable& table() { return *table_; }
    std::string reason_to_skip() const {
        return !namespace_.reason_to_skip().empty() || table_ ? namespace_.reason_to_skip() : "no conntrack here";
    }

  private:
    OwnNamespace namespace_;
    std::unique_ptr<conntrack::KernelFlowTable> table_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(ExpiringKernel, FlowTableConformance, ExpiringInTheKernel);

}  // namespace headgate::testing
