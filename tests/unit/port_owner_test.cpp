// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/port_owner.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "conntrack/flow_changes.h"

namespace headgate::testing {
namespace port_owner_test {

using flowlog::owner_of_port;

std::uint64_t own_namespace() {
    struct stat status {};
    EXPECT_EQ(::stat("/proc/self/ns/net", &status), 0);
    return status.st_ino;
}

std::string own_name() {
    std::string name;
    std::getline(std::ifstream{"/proc/self/comm"}, name);
    return name;
}

TEST(PortOwner, is_the_process_that_a_port_is_named_after) {
    const auto first = netlink::Socket::open().value();
    if (first.port_id() != static_cast<std::uint32_t>(::getpid())) GTEST_SKIP() << "the kernel chose another number";
    EXPECT_EQ(owner_of_port(first.port_id(), own_namespace()), own_name());
}

TEST(PortOwner, is_found_for_a_port_with_any_number) {
    const auto first = netlink::Socket::open().value();
    const auto second = netlink::Socket::open().value();
    const auto chosen = netlink::Socket::open(conntrack::kFlushPortBlock).value();
    for (const auto* socket : {&second, &chosen})
        EXPECT_EQ(owner_of_port(socket->port_id(), own_namespace()), own_name()) << socket->port_id();
}

TEST(PortOwner, is_empty_for_a_port_that_no_process_has) {
    std::uint32_t gone = 0;
    {
        const auto chosen = netlink::Socket::open(conntrack::kFlushPortBlock).value();
        gone = chosen.port_id();
    }
    EXPECT_EQ(owner_of_port(gone, own_namespace()), "");
    // A process with that ID exists, but it has no such port.
    EXPECT_EQ(owner_of_port(1, own_namespace()), "");
}

TEST(PortOwner, is_empty_for_the_same_number_in_another_namespace) {
    const auto socket = netlink::Socket::open().value();
    EXPECT_EQ(owner_of_port(socket.port_id(), own_namespace() + 1), "");
}

TEST(FlushPorts, are_taken_by_as_many_sockets_as_want_one) {
    const auto one = netlink::Socket::open(conntrack::kFlushPortBlock).value();
    const auto other = netlink::Socket::open(conntrack::kFlushPortBlock).value();
    EXPECT_TRUE(conntrack::is_flush_port(one.port_id()));
    EXPECT_TRUE(conntrack::is_flush_port(other.port_id()));
    EXPECT_NE(one.port_id(), other.port_id());
}

TEST(FlushPorts, give_way_to_whoever_came_first) {
    const auto one = netlink::Socket::open({conntrack::kFlushPorts, 2}).value();
    const auto other = netlink::Socket::open({conntrack::kFlushPorts, 2}).value();
    EXPECT_NE(one.port_id(), other.port_id());
    const auto third = netlink::Socket::open({conntrack::kFlushPorts, 2});
    ASSERT_FALSE(third.has_value());
    EXPECT_EQ(third.error().number, EADDRINUSE);
}

}  // namespace port_owner_test
}  // namespace headgate::testing
