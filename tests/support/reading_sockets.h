// SPDX-License-Identifier: GPL-2.0-or-later
// Sockets that receive the output of flow log sinks.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "files/file_descriptor.h"

namespace headgate::testing {

inline FileDescriptor bound_unix_socket(const std::string& path, int type) {
    FileDescriptor socket{::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)};
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0) << std::strerror(errno);
    if (type == SOCK_STREAM) ::listen(socket.get(), 8);
    return socket;
}

/// Bound to the loopback address; port 0 selects a free port.
inline FileDescriptor bound_inet_socket(int type, std::uint16_t port = 0) {
    FileDescriptor socket{::socket(AF_INET, type | SOCK_CLOEXEC, 0)};
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0) << std::strerror(errno);
    if (type == SOCK_STREAM) ::listen(socket.get(), 8);
    return socket;
}

inline std::uint16_t port_of(const FileDescriptor& socket) {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
}

inline bool is_readable(int fd, int milliseconds) {
    pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, milliseconds) > 0;
}

/// Receives datagrams until none arrives for `patience` milliseconds.
inline std::vector<std::string> received_datagrams(const FileDescriptor& socket, int patience = 100) {
    std::vector<std::string> datagrams;
    while (is_readable(socket.get(), patience)) {
        std::string datagram(1 << 20, '\0');
        const auto size = ::recv(socket.get(), datagram.data(), datagram.size(), 0);
        if (size < 0) break;
        datagram.resize(static_cast<std::size_t>(size));
        datagrams.push_back(std::move(datagram));
    }
    return datagrams;
}

/// Receives bytes until none arrive for `patience` milliseconds, or the peer closes.
inline std::string received_bytes(int fd, int patience = 100) {
    std::string bytes;
    std::string piece(64 * 1024, '\0');
    while (is_readable(fd, patience)) {
        const auto size = ::read(fd, piece.data(), piece.size());
        if (size <= 0) break;
        bytes.append(piece, 0, static_cast<std::size_t>(size));
    }
    return bytes;
}

}  // namespace headgate::testing
