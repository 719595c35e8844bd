// SPDX-License-Identifier: GPL-2.0-or-later
// Walks of the kernel's hash, compared with dumps.
#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "conntrack/candidate_lookup.h"
#include "conntrack/flow_message.h"
#include "conntrack/walk/hash_walk.h"
#include "conntrack/walk/walk_filter.h"
#include "conntrack/walk/walk_row.h"
#include "kernel/capabilities.h"
#include "kernel/own_namespace.h"
#include "kernel/random_flows.h"
#include "kernel/raw_dump.h"
#include "support/flow_builder.h"
#include "support/flow_table_conformance.h"
#include "support/insert_flows.h"
#include "support/remove_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {
namespace kernel_hash_walk_test {

using namespace std::chrono_literals;
using conntrack::HashWalk;
using conntrack::WalkPrograms;

constexpr auto kWalk = conntrack::kHashWalk;

Moment now() {
    return {std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()), std::nullopt};
}

class KernelHashWalk : public KernelTest {
  protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped()) return;
        auto programs = WalkPrograms::load();
        if (!programs) GTEST_SKIP() << programs.error().message;
        programs_ = std::move(*programs);
        sysctls_ = std::move(*conntrack::TableSysctls::open());
        walking_ = std::move(*conntrack::KernelFlowTable::open({}, {walk_}));
    }

    void insert(const std::vector<Flow>& flows) { ASSERT_TRUE(inserted(*table_, flows)); }

    std::unique_ptr<walk_request> request_for(const FlowQuery& query) {
        const conntrack::SocketSource open_socket = [] { return netlink::Socket::open(); };
        const auto place = find_place(*programs_, {namespace_of_process_, open_socket, sysctls_});
        EXPECT_TRUE(place.has_value()) << place.error().message;
        auto request = std::make_unique<walk_request>();
        request->place = *place;
        request->network_namespace = programs_->network_namespace().value();
        request->block = WALK_MOST_BUCKETS;
        request->budget = 1000;
        request->filter = *conntrack::compile_filter(query, now());
        return request;
    }

    /// All rows of the program.
    std::vector<walk_row> walk(std::unique_ptr<walk_request> request) {
        std::vector<walk_row> all;
        while (request->next < request->place.buckets) {
            const auto answer = programs_->walk(*request, all);
            EXPECT_TRUE(answer && answer->status == WALK_PROGRESS && answer->next > request->next);
            if (!answer || answer->next <= request->next) break;
            request->next = answer->next;
        }
        return all;
    }

    /// What a scan of a table reports, in an order of its own.
    static std::multiset<std::string> found(FlowTable& table, const FlowQuery& query, std::string_view plan) {
        ScanCollector collector;
        const auto report = table.scan(query, now(), collector);
        EXPECT_TRUE(report.has_value()) << report.error().message;
        EXPECT_TRUE(collector.plans.front().starts_with(plan)) << collector.plans.front();
        for (const auto& line : collector.plans)
            EXPECT_EQ(line.find("cannot be walked"), std::string::npos) << line;
        std::multiset<std::string> flows;
        for (const auto& [flow, outcome, error, verdict] : collector.rows)
            flows.insert(fmt::format("{} {} {} {} {}", flow.id, to_string(flow.original.source),
                                     to_string(flow.original.protocol), flow.original.source_port, flow.zone));
        return flows;
    }

    const netlink::NetworkNamespace namespace_of_process_{};
    conntrack::TableSysctls sysctls_;
    std::unique_ptr<WalkPrograms> programs_;
    std::vector<std::string> told_;
    std::shared_ptr<HashWalk> walk_ =
        std::make_shared<HashWalk>(0, [this](std::string_view line) { told_.emplace_back(line); });
    std::unique_ptr<conntrack::KernelFlowTable> walking_;  ///< the same table, which it walks
};

TEST_F(KernelHashWalk, finds_the_flows_of_a_dump_equal_in_every_part) {
    insert(random_flows(3000));
    std::map<std::pair<std::string, std::string>, Flow> dumped;
    const auto key = [](const Flow& flow) {
        const auto& tuple = flow.original;
        return std::pair{fmt::format("{} {}", to_string(tuple.source), to_string(tuple.protocol)),
                         fmt::format("{} {} {}", tuple.source_port, tuple.icmp_id, flow.zone)};
    };
    for (const auto& message : dump_messages({})) {
        const Flow flow = conntrack::FlowMessage::parse(message)->decode().value();
        dumped.emplace(key(flow), flow);
    }
    const auto rows = walk(request_for(query_for_all()));
    EXPECT_EQ(dumped.size(), 3000U);
    ASSERT_EQ(rows.size(), dumped.size());
    for (const auto& row : rows) {
        const auto walked = conntrack::decode_row(row);
        ASSERT_TRUE(walked.has_value());
        const auto same = dumped.find(key(*walked));
        ASSERT_NE(same, dumped.end());
        EXPECT_EQ(conntrack::difference(*walked, same->second), "") << to_string(walked->original.protocol);
        EXPECT_TRUE(walked->started.has_value());
    }
}

TEST_F(KernelHashWalk, finds_the_same_with_blocks_of_any_size) {
    insert(random_flows(500));
    for (const auto block : {1U, 8U, 64U}) {
        auto request = request_for(query_for_all());
        request->block = block;
        EXPECT_EQ(walk(std::move(request)).size(), 500U) << block;
    }
}

TEST_F(KernelHashWalk, goes_on_where_its_buffer_was_full) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 20'000; ++port)
        flows.push_back(tcp_flow().from_port(port));
    insert(flows);
    auto request = request_for(query_for_all());
    request->budget = UINT32_MAX;
    std::set<std::uint16_t> ports;
    const auto rows = walk(std::move(request));
    for (const auto& row : rows)
        ports.insert(conntrack::decode_row(row)->original.source_port);
    EXPECT_EQ(rows.size(), 20'000U);
    EXPECT_EQ(ports.size(), 20'000U);
}

TEST_F(KernelHashWalk, notices_a_table_that_is_not_where_it_was_said_to_be) {
    auto request = request_for(query_for_all());
    request->budget = UINT32_MAX;  // of several attempts, whatever other tests have in the hash
    std::vector<walk_row> rows;
    const auto status = [&] { return programs_->walk(*request, rows).value().status; };
    EXPECT_EQ(status(), WALK_PROGRESS);
    request->place.table += 8;
    EXPECT_EQ(status(), WALK_UNSTEADY) << "each chain ends as that of the next bucket";
    request->place.table = 0;
    EXPECT_EQ(status(), WALK_REPLACED);
    request = request_for(query_for_all());
    if (request->place.generation_at == 0) return;  // of a kernel without symbols
    request->place.generation += 2;
    EXPECT_EQ(status(), WALK_REPLACED);
}

TEST_F(KernelHashWalk, names_candidates_that_conntrack_has) {
    insert(random_flows(100));
    std::vector<conntrack::Candidate> candidates;
    for (const auto& row : walk(request_for(query_for_all())))
        candidates.push_back(conntrack::candidate_of(*conntrack::decode_row(row)));
    auto socket = netlink::Socket::open();
    const auto reported = look_up(*socket, candidates);
    ASSERT_TRUE(reported.has_value());
    EXPECT_TRUE(std::ranges::all_of(*reported, [](const auto& flow) { return flow.has_value(); }));
}

TEST_F(KernelHashWalk, answers_every_query_as_a_dump_does) {
    insert(random_flows(2000));
    std::vector<FlowQuery> queries;
    for (const auto* filter :
         {"source=10.1.0.0/24", "source=2001:db8:1::/120,protocol=udp", "destination-port=1:300", "protocol=icmp",
          "translated-source=192.0.2.1", "protocol=50,protocol=gre", "source=10.9.9.9"}) {
        queries.push_back(query_for(filter));
    }
    for (const auto state : {StateScope::New, StateScope::Established, StateScope::Closed, StateScope::Active}) {
        queries.push_back(query_for("source=10.1.0.0/22"));
        queries.back().states = state;
    }
    queries.push_back(query_for("source-port=1:9000"));
    queries.back().mark = MarkMatch{2, 3};
    queries.push_back(query_for("destination=10.2.0.2"));
    queries.back().zone = std::uint16_t{7};
    queries.push_back(query_for("source=10.2.0.2,destination=10.1.0.0/25"));
    queries.back().direction = MatchDirection::Both;
    queries.push_back(query_for("source=192.0.2.0/24"));
    queries.back().side = MatchSide::Any;
    queries.push_back(query_for("source=10.1.0.0/16"));
    queries.back().minimum_age = 1h;
    queries.push_back(query_for("source=10.1.1.0/28"));
    queries.back().filters.push_back(parse_flow_filter("source=2001:db8:1::5").value());
    for (const auto& query : queries) {
        EXPECT_EQ(found(*walking_, query, kWalk), found(*table_, query, conntrack::kFullScan))
            << to_string(query.filters.front());
    }
    EXPECT_TRUE(told_.empty()) << told_.front();
}

TEST_F(KernelHashWalk, counts_what_is_left_out_as_a_dump_does) {
    OwnNamespace::set_sysctl("nf_conntrack_timestamp", "0");
    insert({tcp_flow().from_port(1), tcp_flow().from_port(2).in_state(7)});
    OwnNamespace::set_sysctl("nf_conntrack_timestamp", "1");
    insert({tcp_flow().from_port(3)});
    auto query = query_for("source=10.0.1.2");
    query.minimum_age = 1h;
    ScanCollector collector;
    EXPECT_EQ(walking_->scan(query, now(), collector)->age_unknown, 2U);
    query.minimum_age = 0s;
    query.states = StateScope::Active;
    EXPECT_EQ(walking_->scan(query, now(), collector)->closed, 1U);
}

TEST_F(KernelHashWalk, sees_the_flows_of_its_network_namespace_alone) {
    insert({tcp_flow().from_port(1)});
    std::string path;
    std::unique_ptr<FlowTable> other;
    std::thread{[&] {
        const OwnNamespace another;
        path = fmt::format("/proc/{}/task/{}/ns/net", ::getpid(), ::gettid());
        other = std::move(*conntrack::KernelFlowTable::open(netlink::NetworkNamespace::open(path).value(), {walk_}));
    }}.join();
    ASSERT_TRUE(inserted(*other, std::vector<Flow>{tcp_flow().from_port(2), tcp_flow().from_port(3)}));
    EXPECT_EQ(found(*other, query_for("source=10.0.1.2"), kWalk).size(), 2U);
    EXPECT_EQ(found(*walking_, query_for("source=10.0.1.2"), kWalk).size(), 1U);
}

TEST_F(KernelHashWalk, is_exact_while_other_flows_come_and_go) {
    std::vector<Flow> staying;
    for (std::uint16_t port = 1; port <= 1000; ++port)
        staying.push_back(tcp_flow().from("10.1.0.1", port).established());
    insert(staying);
    std::atomic<bool> stop = false;
    std::thread churn{[&] {
        auto table = conntrack::KernelFlowTable::open({});
        while (!stop) {
            std::vector<Flow> passing;
            for (std::uint16_t port = 1; port <= 500; ++port)
                passing.push_back(udp_flow().from("10.1.0.1", port));
            static_cast<void>((*table)->insert(passing, [](const Flow&, Insertion, int) {}));
            ScanCollector collector;
            static_cast<void>((*table)->scan(query_for("protocol=udp"), now(), collector));
            removed(**table, collector.rows);
        }
    }};
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(found(*walking_, query_for("source=10.1.0.1,protocol=tcp"), kWalk).size(), 1000U);
    stop = true;
    churn.join();
}

TEST_F(KernelHashWalk, serves_several_scans_at_once) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 4000; ++port)
        flows.push_back(tcp_flow().from_port(port));
    insert(flows);
    std::vector<std::thread> scans;
    for (std::size_t i = 1; i <= 4; ++i) {
        scans.emplace_back([this, i] {
            const auto table = std::move(*conntrack::KernelFlowTable::open({}, {walk_}));
            for (int round = 0; round < 10; ++round)
                EXPECT_EQ(found(*table, query_for(fmt::format("source-port=1:{}", i * 100)), kWalk).size(), i * 100);
        });
    }
    for (auto& scan : scans)
        scan.join();
}

TEST_F(KernelHashWalk, of_a_command_that_forgoes_it_is_a_dump) {
    insert({tcp_flow()});
    walking_->forgo_fast_scans();
    EXPECT_EQ(found(*walking_, query_for("source=10.0.1.2"), conntrack::kFullScan).size(), 1U);
}

TEST_F(KernelHashWalk, without_the_privileges_is_a_dump_and_says_so_once) {
    insert({tcp_flow()});
    std::thread{[&] {
        keep_only(bit(CAP_NET_ADMIN));
        for (int i = 0; i < 2; ++i) {
            ScanCollector collector;
            ASSERT_TRUE(walking_->scan(query_for("source=10.0.1.2"), now(), collector).has_value());
            EXPECT_EQ(collector.rows.size(), 1U);
        }
    }}.join();
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_.front(),
              "fast scans are off, and flow tables are dumped instead: loading the programs: Operation not permitted "
              "(needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)");
    EXPECT_EQ(walk_->walks_from(), std::nullopt);
}

TEST_F(KernelHashWalk, takes_three_capabilities) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 2000; ++port)
        flows.push_back(tcp_flow().from_port(port));
    insert(flows);
    std::thread{[&] {
        keep_only(bit(CAP_BPF) | bit(CAP_PERFMON) | bit(CAP_NET_ADMIN));
        EXPECT_EQ(found(*walking_, query_for("source-port=1:100"), kWalk).size(), 100U);
    }}.join();
    EXPECT_TRUE(told_.empty()) << told_.front();
}

TEST_F(KernelHashWalk, without_symbols_and_a_namespace_of_its_own_takes_flows_to_find_the_table_by) {
    if (programs_->find_table().value()) GTEST_SKIP() << "this kernel says where the table is";
    insert({tcp_flow()});
    std::thread{[&] {
        keep_only(bit(CAP_BPF) | bit(CAP_PERFMON) | bit(CAP_NET_ADMIN));
        ScanCollector collector;
        ASSERT_TRUE(walking_->scan(query_for("source=10.0.1.2"), now(), collector).has_value());
        EXPECT_EQ(collector.rows.size(), 1U);
        ASSERT_GE(collector.plans.size(), 2U);
        EXPECT_EQ(collector.plans[1], "the hash cannot be walked: too few flows to find the table by");
    }}.join();
    EXPECT_TRUE(told_.empty()) << "another table may be walked";
}

}  // namespace kernel_hash_walk_test

/// A table whose scans walk the hash.
class WalkedInTheKernel {
  public:
    WalkedInTheKernel() {
        auto opened = conntrack::KernelFlowTable::open({}, {std::make_shared<conntrack::HashWalk>(0)});
        if (opened) table_ = std::move(*opened);
    }
    FlowTable& table() { return *table_; }
    std::string reason_to_skip() const {
        return !namespace_.reason_to_skip().empty() || table_ ? namespace_.reason_to_skip() : "no conntrack here";
    }

  private:
    OwnNamespace namespace_;
    std::unique_ptr<FlowTable> table_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(WalkedKernel, FlowTableConformance, WalkedInTheKernel);

}  // namespace headgate::testing
