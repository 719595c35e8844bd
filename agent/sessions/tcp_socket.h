// The TCP sockets of a network namespace, as sock_diag(7) tells them to everybody. Format: net/ipv4/inet_diag.c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "headgate/address.h"
#include "headgate/flow_filter.h"
#include "headgate/result.h"

#include "netlink/attributes.h"

namespace headgate::sessions {

struct TcpSocket {
    bool listens = false;  ///< otherwise it is established
    Address local;
    std::uint16_t local_port = 0;
    Address remote;
    std::uint16_t remote_port = 0;
    std::uint64_t inode = 0;              ///< 0: no process has taken the connection so far
    std::optional<std::uint64_t> cgroup;  ///< the inode of its folder, in version 2 (Linux 5.7)

    friend bool operator==(const TcpSocket&, const TcpSocket&) = default;
};

/// The flow of an established socket, from the peer to here.
[[nodiscard]] FlowFilter filter_of(const TcpSocket& socket);

/// Asks for the sockets of a family that listen or are established.
[[nodiscard]] std::vector<std::byte> socket_request(Family family);

/// Nothing for a message that is too short, or about a socket in another state. An address that an IPv6 socket has
/// mapped is the IPv4 address that the packets bear.
[[nodiscard]] std::optional<TcpSocket> parse_socket(netlink::Bytes payload);

/// In the calling thread's network namespace. Takes no privilege.
[[nodiscard]] Result<std::vector<TcpSocket>> read_tcp_sockets();

}  // namespace headgate::sessions
