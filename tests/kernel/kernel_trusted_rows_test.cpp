// SPDX-License-Identifier: GPL-2.0-or-later
// Flows as the programs in the kernel read them, compared with what conntrack reports.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <thread>

#include "conntrack/candidate_lookup.h"
#include "conntrack/walk/hash_walk.h"
#include "conntrack/walk/id_seed.h"
#include "files/file_descriptor.h"
#include "flow/flow_json.h"
#include "kernel/capabilities.h"
#include "kernel/own_namespace.h"
#include "kernel/random_flows.h"
#include "midstream/nftables.h"
#include "operations/flow_rows.h"
#include "support/insert_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {
namespace kernel_trusted_rows_test {

using namespace std::chrono_literals;
using conntrack::HashWalk;
using conntrack::WalkPrograms;

constexpr std::string_view kTrusted = "flows are as conntrack reports them, so that the others are not looked up";

Moment now() {
    return {std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()), std::nullopt};
}

/// By what tells them apart.
using Flows = std::map<std::string, Flow>;

class KernelTrustedRows : public KernelTest {
  protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped()) return;
        auto programs = WalkPrograms::load();
        if (!programs) GTEST_SKIP() << programs.error().message;
        programs_ = std::move(*programs);
        if (programs_->find_seeds().value().empty()) GTEST_SKIP() << "the seed of ids is not to be found here";
        walking_ = std::move(*conntrack::KernelFlowTable::open({}, {walk_}));
    }

    void insert(const std::vector<Flow>& flows) { ASSERT_TRUE(inserted(*table_, flows)); }

    Flows scan(FlowTable& table, const FlowQuery& query = query_for_all()) {
        ScanCollector collector;
        const auto report = table.scan(query, now(), collector);
        EXPECT_TRUE(report.has_value()) << report.error().message;
        plans_ = collector.plans;
        Flows flows;
        for (const auto& [flow, outcome, error, verdict] : collector.rows)
            flows.emplace(
                fmt::format("{} {} {} {} {}", to_string(flow.original.source), to_string(flow.original.protocol),
                            flow.original.source_port, flow.original.icmp_id, flow.zone),
                flow);
        EXPECT_EQ(flows.size(), collector.rows.size());
        return flows;
    }

    Flows walked(const FlowQuery& query = query_for_all()) {
        auto flows = scan(*walking_, query);
        EXPECT_EQ(plans_.front().find(conntrack::kHashWalk), 0U) << plans_.front();
        EXPECT_EQ(plans_.size(), 2U) << plans_.back();
        EXPECT_NE(plans_.back().find(kTrusted), std::string::npos) << plans_.back();
        return flows;
    }

    /// But for the seconds in between.
    static void expect_equal(const Flows& found, const Flows& expected) {
        EXPECT_EQ(found.size(), expected.size());
        for (auto [key, flow] : found) {
            const auto same = expected.find(key);
            ASSERT_NE(same, expected.end()) << key;
            ASSERT_EQ(flow.timeout.has_value(), same->second.timeout.has_value()) << key;
            if (flow.timeout && std::chrono::abs(*same->second.timeout - *flow.timeout) < 5s)
                flow.timeout = same->second.timeout;
            EXPECT_TRUE(flow == same->second) << key << " " << json(flow) << json(same->second);
        }
    }

    static std::string json(const Flow& flow) {
        fmt::memory_buffer out;
        append_flow_json(out, {flow}, Moment{});
        return fmt::to_string(out);
    }

    std::unique_ptr<WalkPrograms> programs_;
    std::shared_ptr<HashWalk> walk_ = std::make_shared<HashWalk>(0);
    std::unique_ptr<conntrack::KernelFlowTable> walking_;  ///< the same table, which it walks
    std::vector<std::string> plans_;                       ///< of the last scan
};

TEST_F(KernelTrustedRows, are_equal_to_a_dump_in_every_part) {
    for (const unsigned seed : {1U, 2U, 3U}) {
        insert(random_flows(2000, seed));
        const auto dumped = scan(*table_);
        EXPECT_EQ(dumped.size(), 2000U);
        expect_equal(walked(), dumped);
        expect_equal(walked(query_for("destination-port=1:300")), scan(*table_, query_for("destination-port=1:300")));
        ASSERT_EQ(std::system("conntrack -F 2>/dev/null"), 0);
    }
}

TEST_F(KernelTrustedRows, have_no_start_time_and_no_counters_where_conntrack_keeps_none) {
    for (const auto* name : {"nf_conntrack_acct", "nf_conntrack_timestamp"})
        ASSERT_TRUE(OwnNamespace::set_sysctl(name, "0"));
    insert(random_flows(100));
    const auto flows = walked();
    expect_equal(flows, scan(*table_));
    EXPECT_TRUE(std::ranges::none_of(flows, [](const auto& each) { return each.second.started.has_value(); }));
    EXPECT_TRUE(std::ranges::none_of(flows, [](const auto& each) { return each.second.counters_reply.has_value(); }));
}

/// UDP on the loopback interface, where a rule makes conntrack work.
class Traffic {
  public:
    Traffic() {
        EXPECT_EQ(std::system("ip link set lo up && nft 'add table inet t; "
                              "add chain inet t i { type filter hook input priority 0; }; "
                              "add rule inet t i ct state established accept'"),
                  0);
        for (std::uint16_t port = 1; port <= kSockets; ++port) {
            sockets_.emplace_back(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
            auto own = at(port);
            EXPECT_EQ(::bind(sockets_.back().get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
        }
    }

    /// From each socket to the one before it, and so in both directions.
    void send_round() {
        for (std::uint16_t port = 2; port <= kSockets; ++port) {
            send(port, static_cast<std::uint16_t>(port - 1));
            send(static_cast<std::uint16_t>(port - 1), port);
        }
    }

    static constexpr std::uint16_t kSockets = 100;
    static constexpr std::size_t kFlows = kSockets - 1;

  private:
    static sockaddr_in at(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    void send(std::uint16_t from, std::uint16_t to) {
        const auto there = at(to);
        char received[16];
        ::sendto(sockets_.at(from - 1U).get(), "hello", 5, 0, reinterpret_cast<const sockaddr*>(&there), sizeof there);
        while (::recv(sockets_.at(to - 1U).get(), received, sizeof received, MSG_DONTWAIT) > 0) {
        }
    }

    std::vector<FileDescriptor> sockets_;
};

TEST_F(KernelTrustedRows, count_packets_and_bytes_in_both_directions) {
    Traffic traffic;
    traffic.send_round();
    traffic.send_round();
    const auto flows = walked();
    expect_equal(flows, scan(*table_));
    EXPECT_EQ(flows.size(), Traffic::kFlows);
    for (const auto& [key, flow] : flows) {
        EXPECT_EQ(flow.counters_original->packets, 2U) << key;
        EXPECT_EQ(flow.counters_reply->bytes, 2U * 33) << key;
    }
}

TEST_F(KernelTrustedRows, are_between_an_earlier_and_a_later_dump_while_packets_pass) {
    Traffic traffic;
    traffic.send_round();
    std::atomic<bool> stop = false;
    std::thread sender{[&] {
        while (!stop)
            traffic.send_round();
    }};
    const auto counted = [](const Flow& flow) { return total_counters(flow)->bytes; };
    for (int i = 0; i < 20; ++i) {
        const auto before = scan(*table_);
        const auto during = scan(*walking_);
        const auto after = scan(*table_);
        EXPECT_EQ(during.size(), Traffic::kFlows);
        for (const auto& [key, flow] : during) {
            EXPECT_LE(counted(before.at(key)), counted(flow)) << key;
            EXPECT_GE(counted(after.at(key)), counted(flow)) << key;
            EXPECT_EQ(after.at(key).id, flow.id) << key;
            EXPECT_EQ(after.at(key).started, flow.started) << key;
        }
    }
    stop = true;
    sender.join();
}

TEST_F(KernelTrustedRows, lack_a_helper_so_such_a_flow_is_looked_up) {
    auto flows = random_flows(100);
    Flow with_helper = tcp_flow().to_port(21).established();
    with_helper.helper = {'f', 't', 'p'};
    bool is_refused = false;
    ASSERT_TRUE(table_->insert(std::vector{with_helper},
                               [&](const Flow&, Insertion, int error) { is_refused = error == EOPNOTSUPP; }));
    if (is_refused) GTEST_SKIP() << "this kernel has no helper for FTP";
    insert(flows);
    const auto found = walked();
    expect_equal(found, scan(*table_));
    EXPECT_EQ(std::ranges::count_if(found, [](const auto& each) { return helper_name(each.second) == "ftp"; }), 1);
}

TEST_F(KernelTrustedRows, lack_labels_so_such_a_flow_is_looked_up) {
    insert(random_flows(100));
    auto nftables = midstream::Nftables::open();
    ASSERT_TRUE(nftables.has_value());
    if (!nftables->run("add table inet t; add chain inet t c; add rule inet t c ct label set 1"))
        GTEST_SKIP() << "no rule about labels here";
    Flow labelled = tcp_flow();
    labelled.labels[0] = std::byte{0x82};
    insert({labelled});
    const auto found = walked();
    expect_equal(found, scan(*table_));
    EXPECT_EQ(std::ranges::count_if(found, [&](const auto& each) { return each.second.labels == labelled.labels; }), 1);
}

TEST_F(KernelTrustedRows, are_not_trusted_once_an_id_differs) {
    insert(random_flows(50));
    static_cast<void>(walked());
    ASSERT_TRUE(walk_->may_trust_rows());

    conntrack::IdSeed seed;
    EXPECT_FALSE(seed.confirmed_by({}, 0, *programs_).has_value());
    EXPECT_TRUE(seed.is_possible()) << "another table may have flows to compare";
    conntrack::ReportedRow other;
    other.reported.id = 1;
    EXPECT_FALSE(seed.confirmed_by({&other, 1}, 0, *programs_).has_value());
    EXPECT_FALSE(seed.is_possible());
}

TEST_F(KernelTrustedRows, without_the_symbols_are_looked_up) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 10'000; ++port)
        flows.push_back(tcp_flow().from_port(port));
    insert(flows);
    std::thread{[&] {
        keep_only(bit(CAP_BPF) | bit(CAP_PERFMON) | bit(CAP_NET_ADMIN));
        if (!programs_->find_seeds().value().empty()) GTEST_SKIP() << "kernel.perf_event_paranoid permits symbols";
        EXPECT_EQ(scan(*walking_, query_for("source-port=1:100")).size(), 100U);
        ASSERT_EQ(plans_.size(), 2U);
        EXPECT_EQ(plans_.back(),
                  "each flow is looked up: conntrack's seed of ids is not to be found (needs CAP_SYSLOG)");
        EXPECT_EQ(scan(*walking_).size(), 10'000U) << "by a dump, unless other namespaces have most of the flows";
    }}.join();
}

TEST_F(KernelTrustedRows, leave_no_address_of_the_kernel_in_what_is_printed_and_stored) {
    insert(random_flows(200));
    ScanCollector collector;
    ASSERT_TRUE(walking_->scan(query_for_all(), now(), collector).has_value());
    std::string printed = fmt::format("{}", fmt::join(collector.plans, "\n"));
    operations::FlowBlock block;
    for (const auto& row : collector.rows) {
        printed += json(row.flow);
        block.add(row);
    }
    const auto& rows = block.rows();
    const std::string_view stored{reinterpret_cast<const char*>(rows.data()), rows.size()};

    auto request = std::make_unique<walk_request>();
    const conntrack::SocketSource open_socket = [] { return netlink::Socket::open(); };
    const netlink::NetworkNamespace here{};
    const auto sysctls = std::move(*conntrack::TableSysctls::open());
    request->place = conntrack::find_place(*programs_, {here, open_socket, sysctls}).value();
    request->network_namespace = programs_->network_namespace().value();
    request->block = WALK_MOST_BUCKETS;
    request->budget = 1000;
    request->samples = UINT32_MAX;
    std::vector<walk_row> walked;
    while (request->next < request->place.buckets)
        request->next = programs_->walk(*request, walked)->next;
    EXPECT_EQ(walked.size(), 200U);
    std::vector<std::uint64_t> addresses{request->place.table, request->network_namespace};
    for (const auto& row : walked)
        addresses.push_back(row.entry);
    for (const auto address : addresses) {
        EXPECT_EQ(printed.find(fmt::format("{}", address)), std::string::npos);
        EXPECT_EQ(printed.find(fmt::format("{:x}", address)), std::string::npos);
        EXPECT_EQ(stored.find({reinterpret_cast<const char*>(&address), sizeof address}), std::string_view::npos);
    }
}

}  // namespace kernel_trusted_rows_test
}  // namespace headgate::testing
