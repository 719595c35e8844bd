// SPDX-License-Identifier: GPL-2.0-or-later
// Ends real flows on the loopback interface of a namespace in various ways, and checks the reasons derived from events.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "files/file_descriptor.h"
#include "flowlog/destroy_decoder.h"
#include "kernel/heard_ends.h"
#include "kernel/own_namespace.h"
#include "support/flow_builder.h"
#include "support/insert_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {
namespace kernel_end_reason_test {

using flowlog::reason_of;

constexpr std::uint16_t kServer = 7000;
constexpr std::uint16_t kClient = 7001;
constexpr std::uint16_t kSilent = 7002;  ///< packets to it are dropped
constexpr std::uint16_t kClosed = 7003;  ///< without a listener

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

FileDescriptor bound_socket(int type, std::uint16_t port) {
    FileDescriptor socket{::socket(AF_INET, type | SOCK_CLOEXEC, 0)};
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = loopback(port);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
}

int connect_to(const FileDescriptor& socket, std::uint16_t port) {
    const auto address = loopback(port);
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

class KernelEndReason : public KernelTest {
  protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped()) return;
        ASSERT_EQ(std::system("ip link set lo up && nft 'add table inet t; "
                              "add chain inet t i { type filter hook input priority 0; }; "
                              "add rule inet t i ct state established accept; add rule inet t i th dport 7002 drop'"),
                  0);
        server_ = bound_socket(SOCK_STREAM, kServer);
        ASSERT_EQ(::listen(server_.get(), 8), 0);
        auto events = conntrack::DestroyEvents::open({}, {});
        ASSERT_TRUE(events.has_value());
        events_.emplace(std::move(*events));
    }

    static void wait_one_second_for(std::string_view timeout) {
        ASSERT_TRUE(OwnNamespace::set_sysctl("nf_conntrack_" + std::string{timeout}, "1"));
    }

    struct Connection {
        FileDescriptor client, server;
    };
    Connection connect() {
        Connection made{bound_socket(SOCK_STREAM, kClient), {}};
        EXPECT_EQ(connect_to(made.client, kServer), 0) << std::strerror(errno);
        made.server = FileDescriptor{::accept4(server_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        return made;
    }

    /// The server closes first, and its end stays in TIME_WAIT.
    static void close(Connection connection) {
        connection.server = {};
        char nothing = 0;
        EXPECT_EQ(::read(connection.client.get(), &nothing, 1), 0);
        connection.client = {};
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }

    static void reset(Connection connection) {
        const linger none{1, 0};
        ::setsockopt(connection.client.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
        connection.client = {};
    }

    /// The kernel removes expired flows when a scan comes across them.
    void let_time_pass() {
        std::this_thread::sleep_for(std::chrono::milliseconds{2100});
        ScanCollector collector;
        const Moment now{std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()), {}};
        EXPECT_TRUE(table_->scan(query_for_all(), now, collector).has_value());
    }

    /// The one flow that ended, and what was derived from its event.
    struct End {
        std::optional<EndReason> reason;
        std::optional<FlowState> state;
        std::string_view protocol_state;
        Flow flow;
    };
    End end() {
        const auto ends = await(*events_);
        EXPECT_EQ(ends.size(), 1U);
        if (ends.empty()) return {};
        const auto& [flow, port_id] = ends.front();
        EXPECT_TRUE(flow.started && flow.stopped && *flow.stopped >= *flow.started);
        EXPECT_TRUE(flow.counters_original && flow.counters_original->packets > 0);
        if (std::getenv("SHOW_EVENTS") != nullptr) {
            fmt::print("EVENT state {} status {:#x} timeout {} port {} packets {}/{} lived {} ns\n",
                       protocol_state_name(flow).value_or("-"), flow.status,
                       flow.timeout ? std::to_string(flow.timeout->count()) : "absent", port_id,
                       flow.counters_original->packets, flow.counters_reply->packets,
                       (*flow.stopped - *flow.started).count());
        }
        return {reason_of(flow, port_id), last_state(flow), protocol_state_name(flow).value_or(""), flow};
    }

    FileDescriptor server_;
    std::optional<conntrack::DestroyEvents> events_;
};

TEST_F(KernelEndReason, a_connection_that_both_sides_closed_is_closed) {
    wait_one_second_for("tcp_timeout_time_wait");
    close(connect());
    let_time_pass();
    const auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Closed);
    EXPECT_EQ(ended.state, FlowState::Closed);
    EXPECT_EQ(ended.protocol_state, "TIME_WAIT");
}

TEST_F(KernelEndReason, a_connection_that_was_reset_is_closed) {
    wait_one_second_for("tcp_timeout_close");
    reset(connect());
    let_time_pass();
    const auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Closed);
    EXPECT_EQ(ended.protocol_state, "CLOSE");
}

TEST_F(KernelEndReason, a_connection_that_was_refused_is_closed_at_once) {
    const auto client = bound_socket(SOCK_STREAM, kClient);
    ASSERT_NE(connect_to(client, kClosed), 0);
    const auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Closed);
    EXPECT_EQ(ended.protocol_state, "CLOSE");
}

TEST_F(KernelEndReason, a_connection_that_begins_anew_closes_the_one_before) {
    close(connect());
    const auto again = connect();
    const auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Closed);
    EXPECT_EQ(ended.protocol_state, "TIME_WAIT");
    EXPECT_TRUE(ended.flow.timeout.has_value());
}

TEST_F(KernelEndReason, an_idle_connection_times_out) {
    wait_one_second_for("tcp_timeout_established");
    const auto connection = connect();
    let_time_pass();
    const auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Timeout);
    EXPECT_EQ(ended.state, FlowState::Established);
    EXPECT_EQ(ended.protocol_state, "ESTABLISHED");
}

TEST_F(KernelEndReason, a_half_closed_connection_times_out) {
    wait_one_second_for("tcp_timeout_close_wait");
    const auto connection = connect();
    ASSERT_EQ(::shutdown(connection.client.get(), SHUT_WR), 0);
    let_time_pass();
    const auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Timeout);
    EXPECT_EQ(ended.state, FlowState::Established);
    EXPECT_EQ(ended.protocol_state, "CLOSE_WAIT");
}

TEST_F(KernelEndReason, an_attempt_to_connect_without_an_answer_times_out) {
    wait_one_second_for("tcp_timeout_syn_sent");
    {
        const auto client = bound_socket(SOCK_STREAM | SOCK_NONBLOCK, kClient);
        connect_to(client, kSilent);
    }
    let_time_pass();
    const auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Timeout);
    EXPECT_EQ(ended.state, FlowState::New);
    EXPECT_EQ(ended.protocol_state, "SYN_SENT");
}

TEST_F(KernelEndReason, udp_times_out_answered_or_not) {
    wait_one_second_for("udp_timeout");
    const auto a = bound_socket(SOCK_DGRAM, kClient);
    const auto b = bound_socket(SOCK_DGRAM, kServer);
    connect_to(a, kServer);
    connect_to(b, kClient);
    ::send(a.get(), "?", 1, 0);
    let_time_pass();
    auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Timeout);
    EXPECT_EQ(ended.state, FlowState::New);
    ::send(a.get(), "?", 1, 0);
    ::send(b.get(), "!", 1, 0);
    let_time_pass();
    ended = end();
    EXPECT_EQ(ended.reason, EndReason::Timeout);
    EXPECT_EQ(ended.state, FlowState::Established);
}

TEST_F(KernelEndReason, an_echo_times_out) {
    wait_one_second_for("icmp_timeout");
    ASSERT_EQ(std::system("ping -n -q -c 1 127.0.0.1 >/dev/null"), 0);
    let_time_pass();
    const auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Timeout);
    EXPECT_EQ(ended.state, FlowState::Established);
}

TEST_F(KernelEndReason, what_conntrack_deletes_is_flushed_in_whatever_state) {
    const auto connection = connect();
    ASSERT_EQ(std::system("conntrack -D -p tcp >/dev/null 2>&1"), 0);
    auto ended = end();
    EXPECT_EQ(ended.reason, EndReason::Flushed);
    EXPECT_EQ(ended.protocol_state, "ESTABLISHED");
    ::write(connection.client.get(), "!", 1);  // the kernel tracks the connection again (nf_conntrack_tcp_loose)
    ASSERT_EQ(std::system("conntrack -F >/dev/null 2>&1"), 0);
    ended = end();
    EXPECT_EQ(ended.reason, EndReason::Flushed);
    EXPECT_EQ(ended.protocol_state, "ESTABLISHED");
}

/// The table is full when this namespace has nf_conntrack_max flows (nf_conntrack_core.c, __nf_conntrack_alloc). The
/// test fills the table instead of lowering the limit, which all namespaces share.
TEST_F(KernelEndReason, a_flow_that_makes_room_in_a_full_table_is_evicted) {
    const auto usage = table_->usage();
    ASSERT_TRUE(usage.has_value());
    if (usage->maximum > 300'000) GTEST_SKIP() << "the table holds " << usage->maximum << " flows";
    std::vector<Flow> flows;
    for (std::uint64_t i = 0; i < usage->maximum; ++i) {
        const auto from = fmt::format("10.{}.{}.1", 1 + i / 1000 / 200, i / 1000 % 200);
        flows.push_back(udp_flow().from(from, static_cast<std::uint16_t>(1 + i % 1000)));
    }
    ASSERT_TRUE(inserted(*table_, flows));
    heard(*events_);
    const std::vector<Flow> more{tcp_flow().from_port(1), tcp_flow().from_port(2), tcp_flow().from_port(3)};
    ASSERT_TRUE(inserted(*table_, more));
    const auto ends = await(*events_);
    ASSERT_FALSE(ends.empty());
    for (const auto& [flow, port_id] : ends) {
        EXPECT_EQ(flow.original.protocol, Protocol::Udp);
        EXPECT_TRUE(flow.timeout.has_value());
        EXPECT_EQ(reason_of(flow, port_id), EndReason::Evicted);
    }
}

}  // namespace kernel_end_reason_test
}  // namespace headgate::testing
