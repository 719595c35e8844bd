// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/tcp_listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace headgate::http {
namespace tcp_listener_test {

const Address kLoopback = parse_address("127.0.0.1").value();

sockaddr_in address_of(const FileDescriptor& socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    return address;
}

/// The errno of a client's connect(), or 0.
int connect_to(const sockaddr_in& address) {
    const FileDescriptor client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const int connected = ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return connected == 0 ? 0 : errno;
}

TEST(BoundSocket, takes_no_connections_and_leaves_the_port_to_who_listens) {
    const auto bound = bind_tcp(kLoopback, 0);
    ASSERT_TRUE(bound) << bound.error().message;
    const auto address = address_of(*bound);
    const auto port = ntohs(address.sin_port);
    EXPECT_EQ(connect_to(address), ECONNREFUSED);
    const auto listening = listen_on_tcp(kLoopback, port);
    ASSERT_TRUE(listening) << listening.error().message;
    EXPECT_EQ(connect_to(address), 0);
    EXPECT_EQ(bind_tcp(kLoopback, port).error().number, EADDRINUSE) << "another socket listens there";
    EXPECT_EQ(bind_tcp(kLoopback, port).error().message, place_of(kLoopback, port) + ": Address already in use");
}

}  // namespace tcp_listener_test
}  // namespace headgate::http
