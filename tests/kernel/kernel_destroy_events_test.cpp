// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's DESTROY events: their content, the process that caused them, and events that are lost.
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <cstdlib>
#include <thread>

#include "conntrack/flow_changes.h"
#include "kernel/heard_ends.h"
#include "kernel/own_namespace.h"
#include "support/flow_builder.h"
#include "support/insert_flows.h"
#include "support/remove_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {
namespace kernel_destroy_events_test {

using conntrack::DestroyEvents;
using conntrack::WantedEnds;

class KernelDestroyEvents : public KernelTest {
  protected:
    DestroyEvents listen(WantedEnds wanted = {}) {
        auto events = DestroyEvents::open({}, wanted);
        EXPECT_TRUE(events.has_value()) << events.error().message;
        return std::move(events.value());
    }

    void insert(std::size_t count, std::uint16_t first_port = 1) {
        std::vector<Flow> flows;
        for (std::size_t i = 0; i < count; ++i) {
            const auto host = fmt::format("10.0.{}.1", i / 50'000);
            flows.push_back(udp_flow().from(host, static_cast<std::uint16_t>(first_port + i % 50'000)));
        }
        ASSERT_TRUE(inserted(*table_, flows));
    }

    std::vector<FlowRow> rows() {
        const Moment now{std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()), {}};
        ScanCollector collector;
        EXPECT_TRUE(table_->scan(query_for_all(), now, collector).has_value());
        return collector.rows;
    }

    void remove_all_by_headgate() {
        for (const auto& ending : removed(*table_, rows()))
            EXPECT_EQ(ending.outcome, Outcome::Flushed);
    }

    /// Deletes all flows as another program would; returns its netlink port ID.
    std::uint32_t remove_all_by_another() {
        auto socket = netlink::Socket::open().value();
        conntrack::RequestBatch batch;
        for (const auto& row : rows()) {
            batch.clear();
            batch.add_delete(row.flow, 1);
            EXPECT_TRUE(socket.send(batch.bytes()).has_value());
            std::array<std::byte, 4096> echo{};
            EXPECT_TRUE(socket.receive_waiting(echo).has_value());
        }
        return socket.port_id();
    }

    /// The kernel removes expired flows when a scan comes across them.
    void let_flows_time_out() {
        std::this_thread::sleep_for(std::chrono::milliseconds{1200});
        EXPECT_TRUE(rows().empty());
    }

    void insert_for_one_second() {
        Flow brief = udp_flow().from_port(7);
        brief.timeout = std::chrono::seconds{1};
        ASSERT_TRUE(inserted(*table_, {&brief, 1}));
    }
};

TEST_F(KernelDestroyEvents, what_headgate_deletes_comes_from_a_flush_port) {
    auto everybody = netlink::Socket::open().value();
    ASSERT_TRUE(everybody.subscribe(NFNLGRP_CONNTRACK_DESTROY).has_value());
    insert(1);
    remove_all_by_headgate();
    std::array<std::byte, 4096> buffer{};
    const auto event = everybody.receive_waiting(buffer).value();
    ASSERT_TRUE(event.has_value());
    netlink::Message message;
    ASSERT_TRUE(netlink::MessageReader{*event}.next(message));
    EXPECT_TRUE(conntrack::is_flush_port(message.header.nlmsg_pid)) << message.header.nlmsg_pid;
}

TEST_F(KernelDestroyEvents, what_headgate_deletes_causes_no_record) {
    auto events = listen();
    insert(300);
    remove_all_by_headgate();
    EXPECT_TRUE(heard(events).empty());
    EXPECT_EQ(events.new_losses(), 0U);
}

TEST_F(KernelDestroyEvents, what_another_program_deletes_is_reported_with_its_port) {
    auto events = listen();
    insert(1);
    const auto port = remove_all_by_another();
    const auto ends = heard(events);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends.front().port_id, port);
    EXPECT_EQ(ends.front().flow.original, udp_flow().from("10.0.0.1", 1).tuple());
    EXPECT_TRUE(ends.front().flow.started && ends.front().flow.stopped);
}

TEST_F(KernelDestroyEvents, what_conntrack_deletes_is_reported) {
    for (const auto* command : {"conntrack -D >/dev/null 2>&1", "conntrack -F >/dev/null 2>&1"}) {
        auto events = listen();
        insert(200);
        ASSERT_EQ(std::system(command), 0);
        const auto ends = heard(events);
        ASSERT_EQ(ends.size(), 200U) << command;
        EXPECT_NE(ends.front().port_id, 0U) << command;
        EXPECT_EQ(ends.front().port_id, ends.back().port_id) << command;
    }
}

TEST_F(KernelDestroyEvents, a_timeout_is_reported_as_the_kernels_own) {
    auto events = listen();
    insert_for_one_second();
    let_flows_time_out();
    const auto ends = heard(events);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends.front().port_id, 0U);
    EXPECT_EQ(ends.front().flow.timeout, std::nullopt);
}

TEST_F(KernelDestroyEvents, only_what_is_wanted_is_reported_and_that_can_be_changed) {
    auto events = listen({.by_kernel = false, .by_others = true});
    insert_for_one_second();
    let_flows_time_out();
    EXPECT_TRUE(heard(events).empty());
    ASSERT_TRUE(events.want({.by_kernel = true, .by_others = false}).has_value());
    insert(5);
    remove_all_by_another();
    EXPECT_TRUE(heard(events).empty());
    insert_for_one_second();
    let_flows_time_out();
    EXPECT_EQ(heard(events).size(), 1U);
    EXPECT_EQ(events.new_losses(), 0U);
}

TEST_F(KernelDestroyEvents, what_waits_outlives_the_end_of_listening) {
    auto events = listen();
    insert(1000);
    remove_all_by_another();
    events.stop_listening();
    insert(10);
    remove_all_by_another();
    EXPECT_EQ(heard(events).size(), 1000U);
}

TEST_F(KernelDestroyEvents, every_loss_is_counted_and_later_events_are_reported) {
    auto events = listen();
    int little = 64 * 1024;
    ASSERT_EQ(::setsockopt(events.fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little), 0);
    insert(5000);
    remove_all_by_another();
    const auto told = heard(events).size();
    EXPECT_GT(told, 0U);
    EXPECT_EQ(told + events.new_losses(), 5000U);
    EXPECT_EQ(events.new_losses(), 0U);
    insert(10);
    remove_all_by_another();
    EXPECT_EQ(heard(events).size(), 10U);
}

TEST_F(KernelDestroyEvents, there_is_room_for_fifty_thousand_at_once) {
    auto events = listen();
    insert(50'000);
    ASSERT_EQ(std::system("conntrack -F >/dev/null 2>&1"), 0);
    EXPECT_EQ(heard(events).size(), 50'000U);
    EXPECT_EQ(events.new_losses(), 0U);
}

TEST_F(KernelDestroyEvents, a_message_from_another_process_is_not_believed) {
    auto events = listen();
    auto liar = netlink::Socket::open().value();
    sockaddr_nl listener{};
    socklen_t size = sizeof listener;
    ASSERT_EQ(::getsockname(events.fd(), reinterpret_cast<sockaddr*>(&listener), &size), 0);
    listener.nl_groups = 0;
    nlmsghdr lie{};
    lie.nlmsg_len = sizeof lie;
    lie.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8U | IPCTNL_MSG_CT_DELETE;
    ::sendto(liar.fd(), &lie, sizeof lie, 0, reinterpret_cast<const sockaddr*>(&listener), sizeof listener);
    EXPECT_TRUE(heard(events).empty());
}

}  // namespace kernel_destroy_events_test
}  // namespace headgate::testing
