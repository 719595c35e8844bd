// SPDX-License-Identifier: GPL-2.0-or-later
// The TCP sockets of a network namespace, which sock_diag(7) reports to every user. Format: net/ipv4/inet_diag.c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "headgate/address.h"
#include "headgate/flow_filter.h"
#include "headgate/result.h"

#include "netlink/messages.h"

namespace headgate::sessions {

struct TcpSocket {
    bool listens = false;  ///< otherwise established
    Address local;
    std::uint16_t local_port = 0;
    Address remote;
    std::uint16_t remote_port = 0;
    std::uint64_t inode = 0;              ///< 0: no process has accepted the connection yet
    std::optional<std::uint64_t> cgroup;  ///< inode of its folder, in version 2 (Linux 5.7)

    friend bool operator==(const TcpSocket&, const TcpSocket&) = default;
};

/// The flow of an established socket, with the peer as its source.
[[nodiscard]] FlowFilter filter_of(const TcpSocket& socket);

/// The request for the listening and established sockets of a family.
[[nodiscard]] std::vector<std::byte> socket_request(Family family);

/// Nothing for a message that is too short, or about a socket in another state. An IPv4-mapped address of an IPv6
/// socket becomes the IPv4 address that the packets carry.
[[nodiscard]] std::optional<TcpSocket> parse_socket(netlink::Bytes payload);

/// Reads the sockets of the calling thread's network namespace. Needs no privilege.
[[nodiscard]] Result<std::vector<TcpSocket>> read_tcp_sockets();

}  // namespace headgate::sessions
