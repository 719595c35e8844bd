// SPDX-License-Identifier: GPL-2.0-or-later
// Scans of the kernel's table, in addition to the conformance cases for all tables.
#include <algorithm>
#include <set>
#include <tuple>

#include "conntrack/ctnetlink_requests.h"
#include "conntrack/flow_message.h"
#include "kernel/own_namespace.h"
#include "kernel/raw_dump.h"
#include "support/flow_builder.h"
#include "support/insert_flows.h"
#include "support/kernel_messages.h"
#include "support/remove_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {
namespace kernel_scan_test {

using namespace std::chrono_literals;
using conntrack::KernelFilter;

Moment now() {
    return {std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()), std::nullopt};
}

class KernelScan : public KernelTest {
  protected:
    void insert(const std::vector<Flow>& flows) { ASSERT_TRUE(inserted(*table_, flows)); }

    static Flow decoded(netlink::Bytes message) { return conntrack::FlowMessage::parse(message)->decode().value(); }
};

TEST_F(KernelScan, has_no_ports_of_a_protocol_that_the_kernel_has_no_tracker_for) {
    insert({FlowBuilder{Protocol::Dccp}.from("10.0.1.2", 5001).to("10.0.2.2", 5002)});
    ScanCollector collector;
    ASSERT_TRUE(table_->scan(query_for_all(), now(), collector).has_value());
    ASSERT_EQ(collector.rows.size(), 1U);
    const auto& tuple = collector.rows.front().flow.original;
    if (has_ports(tuple)) GTEST_SKIP() << "this kernel tracks DCCP";
    ScanCollector by_port;
    ASSERT_TRUE(table_->scan(query_for("destination-port=0:65535"), now(), by_port).has_value());
    EXPECT_TRUE(by_port.rows.empty());
}

TEST_F(KernelScan, reports_each_of_many_flows_once) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 5000; ++port)
        flows.push_back(tcp_flow().from_port(port).established());
    insert(flows);
    ScanCollector collector;
    const auto report = table_->scan(query_for_all(), now(), collector);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    std::set<std::uint16_t> ports;
    for (const auto& row : collector.rows)
        ports.insert(row.flow.original.source_port);
    EXPECT_EQ(collector.rows.size(), 5000U);
    EXPECT_EQ(ports.size(), 5000U);
    EXPECT_EQ(report->restarts, 0U);
}

TEST_F(KernelScan, counts_apart_flows_made_before_time_stamps_were_on) {
    OwnNamespace::set_sysctl("nf_conntrack_timestamp", "0");
    insert({tcp_flow().from_port(1), tcp_flow().from_port(2)});
    OwnNamespace::set_sysctl("nf_conntrack_timestamp", "1");
    insert({tcp_flow().from_port(3)});
    auto query = query_for_all();
    query.minimum_age = 1s;
    ScanCollector collector;
    const auto report = table_->scan(query, {now().now + 5s, std::nullopt}, collector);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->age_unknown, 2U);
    ASSERT_EQ(collector.rows.size(), 1U);
    EXPECT_EQ(collector.rows.front().flow.original.source_port, 3);
}

TEST_F(KernelScan, gives_no_counters_for_flows_made_before_accounting_was_on) {
    OwnNamespace::set_sysctl("nf_conntrack_acct", "0");
    insert({tcp_flow()});
    auto query = query_for_all();
    query.minimum_bytes = 1;
    ScanCollector collector;
    EXPECT_EQ(table_->scan(query, now(), collector)->bytes_unknown, 1U);
    EXPECT_TRUE(collector.rows.empty());
}

TEST_F(KernelScan, finds_a_flow_in_a_zone_of_one_direction_by_scan_and_by_lookup) {
    insert({tcp_flow().from("10.0.1.2", 1).to("10.0.2.2", 2).in_zone(9, ZoneDirection::Original),
            tcp_flow().from("10.0.1.2", 3).to("10.0.2.2", 2).in_zone(9, ZoneDirection::Reply)});
    for (const auto* port : {"1", "3"}) {
        auto query = query_for(
            fmt::format("source=10.0.1.2,source-port={},destination=10.0.2.2,destination-port=2,protocol=tcp", port));
        query.zone = std::uint16_t{9};
        ScanCollector by_lookup;
        ASSERT_TRUE(table_->scan(query, now(), by_lookup).has_value());
        EXPECT_TRUE(by_lookup.plans.front().starts_with("lookup")) << by_lookup.plans.front();
        ASSERT_EQ(by_lookup.rows.size(), 1U) << port;
        EXPECT_EQ(by_lookup.rows.front().flow.zone, 9);
        query.filters.front().protocols.clear();
        ScanCollector by_dump;
        ASSERT_TRUE(table_->scan(query, now(), by_dump).has_value());
        EXPECT_EQ(by_dump.rows.size(), 1U) << port;
    }
}

TEST_F(KernelScan, may_leave_family_protocol_mark_and_status_to_the_kernel) {
    insert({
        tcp_flow().from_port(1).with_mark(0x11).established(),
        tcp_flow().from_port(2).with_mark(0x21),
        udp_flow().from_port(3).established(),
        udp_flow().from("2001:db8::1", 4).to("2001:db8::2", 53),
        tcp_flow().from("2001:db8::1", 5).to("2001:db8::2", 80),
    });
    const auto ports = [&](const KernelFilter& filter) {
        std::set<std::uint16_t> passed;
        for (const auto& message : dump_messages(filter)) {
            const Flow flow = decoded(message);
            EXPECT_TRUE(filter.passes(flow)) << flow.original.source_port;
            passed.insert(flow.original.source_port);
        }
        return passed;
    };
    using Ports = std::set<std::uint16_t>;
    EXPECT_EQ(ports({}), (Ports{1, 2, 3, 4, 5}));
    KernelFilter filter;
    filter.family = Family::Ipv6;
    EXPECT_EQ(ports(filter), (Ports{4, 5}));
    filter.protocol = Protocol::Tcp;
    EXPECT_EQ(ports(filter), (Ports{5}));
    filter.family = Family::Ipv4;
    EXPECT_EQ(ports(filter), (Ports{1, 2}));
    filter = {};
    filter.mark = MarkMatch{0x10, 0xF0};
    EXPECT_EQ(ports(filter), (Ports{1}));
    filter = {};
    filter.status = conntrack::StatusMatch{flow_status::kSeenReply, flow_status::kSeenReply};
    EXPECT_EQ(ports(filter), (Ports{1, 3}));
    filter.status = conntrack::StatusMatch{0, flow_status::kSeenReply};
    EXPECT_EQ(ports(filter), (Ports{2, 4, 5}));
}

std::vector<Flow> flows_of_every_protocol_and_zone() {
    std::vector<Flow> flows;
    const auto add = [&](FlowBuilder flow, std::string_view network) {
        const auto from = [&](int host) -> FlowBuilder& { return flow.from(fmt::format("{}{}", network, host)); };
        flows.push_back(from(1));
        flows.push_back(from(2).in_zone(7));
        flows.push_back(from(3).in_zone(8, ZoneDirection::Original));
        flows.push_back(from(4).in_zone(65535, ZoneDirection::Reply));
    };
    for (const auto protocol : {Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Udplite, Protocol::Dccp,
                                Protocol::Gre, Protocol{50}, Protocol{253}}) {
        add(FlowBuilder{protocol}, "10.0.1.");
        add(FlowBuilder{protocol}.to("2001:db8:2::2"), "2001:db8:1::");
    }
    add(icmp_flow(), "10.0.1.");
    add(icmpv6_flow(), "2001:db8:1::");
    return flows;
}

TEST_F(KernelScan, a_delete_names_each_flow_by_the_very_bytes_with_which_the_kernel_does) {
    const auto flows = flows_of_every_protocol_and_zone();
    insert(flows);
    const auto messages = dump_messages({});
    ASSERT_EQ(messages.size(), flows.size());
    for (const auto& message : messages) {
        const Flow flow = decoded(message);
        // The kernel reports no ports of a protocol that it has no tracker for, and ignores them in a request.
        if (has_ports(flow.original.protocol) && !has_ports(flow.original)) continue;
        conntrack::RequestBatch batch;
        batch.add_delete(flow, 1);
        const auto sent = batch.bytes().subspan(sizeof(nlmsghdr) + sizeof(nfgenmsg));
        EXPECT_TRUE(std::ranges::equal(sent, identity_in(message)))
            << to_string(flow.original.protocol) << " in zone " << flow.zone;
    }
    ScanCollector collector;
    ASSERT_TRUE(table_->scan(query_for_all(), now(), collector).has_value());
    for (const auto& ending : removed(*table_, collector.rows))
        EXPECT_EQ(ending.outcome, Outcome::Flushed)
            << to_string(ending.flow.original.protocol) << " in zone " << ending.flow.zone;
    EXPECT_TRUE(dump_messages({}).empty());
}

TEST_F(KernelScan, sees_the_table_of_another_namespace_through_one_thread_alone) {
    // This process is in an empty namespace; the thread below creates a second one and makes it available by its path.
    insert({tcp_flow().from_port(1)});
    std::string path;
    std::unique_ptr<FlowTable> other;
    std::thread{[&] {
        const OwnNamespace another;
        path = fmt::format("/proc/{}/task/{}/ns/net", ::getpid(), ::gettid());
        auto where = netlink::NetworkNamespace::open(path);
        ASSERT_TRUE(where.has_value()) << where.error().message;
        other = std::move(*conntrack::KernelFlowTable::open(std::move(*where)));
    }}.join();
    const std::vector<Flow> two{udp_flow().from_port(2), udp_flow().from_port(3)};
    ASSERT_TRUE(inserted(*other, two));
    ScanCollector there;
    EXPECT_EQ(other->scan(query_for_all(), now(), there)->matched, 2U);
    EXPECT_EQ(other->usage()->in_use, 2U);
    ScanCollector here;
    EXPECT_EQ(table_->scan(query_for_all(), now(), here)->matched, 1U);
    EXPECT_EQ(table_->usage()->in_use, 1U);
}

TEST_F(KernelScan, of_what_is_no_network_namespace_is_refused) {
    using netlink::NetworkNamespace;
    EXPECT_EQ(NetworkNamespace::open("no-such-namespace").error().number, ENOENT);
    EXPECT_EQ(NetworkNamespace::open("/dev/null").error().message, "/dev/null is not a network namespace");
    EXPECT_EQ(NetworkNamespace::open("/proc/self/ns/uts").error().message,
              "/proc/self/ns/uts is not a network namespace");
    for (const auto* name : {"", ".", ".."})
        EXPECT_FALSE(NetworkNamespace::open(name).has_value()) << name;
}

}  // namespace kernel_scan_test
}  // namespace headgate::testing
