// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/session_guard.h"

#include <gtest/gtest.h>

namespace headgate::gateway {
namespace session_guard_test {

sessions::TcpSocket session(std::uint16_t remote_port) {
    sessions::TcpSocket socket;
    socket.local = parse_address("192.0.2.1").value();
    socket.local_port = 22;
    socket.remote = parse_address("198.51.100.7").value();
    socket.remote_port = remote_port;
    socket.inode = remote_port;
    return socket;
}

FlowFilter filter(std::uint16_t remote_port) {
    return sessions::filter_of(session(remote_port));
}

Caller by(std::string face) {
    Caller caller;
    caller.face = std::move(face);
    return caller;
}

std::vector<sessions::SshSessions> found() {
    const std::vector both{session(1), session(2)};
    return {{both, {session(3)}, {session(1), session(2), session(3)}, {}}};
}

TEST(SessionGuard, leaves_the_callers_own_session_alone_where_the_kernel_shows_it) {
    for (const auto* face : {"cli", "unix"}) {
        const auto guard = guard_found({{filter(2)}, {}}, by(face), found());
        EXPECT_TRUE(guard.is_own);
        EXPECT_EQ(guard.sessions, std::vector{filter(2)});
        EXPECT_TRUE(guard.unknown.empty());
    }
}

TEST(SessionGuard, leaves_all_alone_where_the_callers_is_not_known) {
    const auto guard = guard_found({{}, {filter(9), filter(1)}}, by("cli"), found());
    EXPECT_FALSE(guard.is_own);
    EXPECT_EQ(guard.sessions, (std::vector{filter(9), filter(1), filter(2)})) << "and those that the caller has found";
    EXPECT_EQ(guard.unknown, std::vector{filter(3)});
}

TEST(SessionGuard, leaves_all_alone_where_the_one_that_is_named_is_not_there) {
    const auto guard = guard_found({{filter(9)}, {}}, by("unix"), found());
    EXPECT_FALSE(guard.is_own);
    EXPECT_EQ(guard.sessions, (std::vector{filter(9), filter(1), filter(2)}));
}

TEST(SessionGuard, does_not_believe_those_who_come_over_the_network) {
    for (const auto* face : {"tcp", "token", "loopback", "sigv4", "certificate", ""}) {
        const auto guard = guard_found({{filter(2)}, {}}, by(face), found());
        EXPECT_FALSE(guard.is_own) << face;
        EXPECT_EQ(guard.sessions, (std::vector{filter(2), filter(1)})) << face;
    }
}

}  // namespace session_guard_test
}  // namespace headgate::gateway
