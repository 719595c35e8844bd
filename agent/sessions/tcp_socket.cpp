// SPDX-License-Identifier: GPL-2.0-or-later
#include "sessions/tcp_socket.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "netlink/messages.h"
#include "netlink/socket.h"

namespace headgate::sessions {
namespace {

/// The fixed part of an answer message, before its attributes.
using SocketMessage = inet_diag_msg;

Address address_of(std::uint8_t family, const __be32 (&words)[4]) {
    Address address{family == AF_INET ? Family::Ipv4 : Family::Ipv6, {}};
    std::memcpy(address.octets.data(), words, address_octets(address.family));
    return unmapped(address);
}

std::optional<std::uint64_t> cgroup_in(netlink::Bytes attributes) {
    netlink::Attribute attribute;
    for (netlink::AttributeReader reader{attributes}; reader.next(attribute);) {
        std::uint64_t id = 0;
        if (attribute.type != INET_DIAG_CGROUP_ID || attribute.payload.size() < sizeof id) continue;
        std::memcpy(&id, attribute.payload.data(), sizeof id);  // host byte order
        return id;
    }
    return std::nullopt;
}

tl::unexpected<Error> unanswered(int number) {
    constexpr std::string_view kAsking = "asking the kernel for its TCP sockets";
    if (number != ENOENT) return system_error(number, kAsking);
    return tl::unexpected(Error{ErrorKind::Failed, fmt::format("{}: it has no tcp_diag", kAsking), number});
}

/// Appends the sockets in a piece of the answer. Returns true for the last piece.
Result<bool> add_sockets_in(netlink::Bytes piece, std::vector<TcpSocket>& sockets) {
    netlink::Message message;
    for (netlink::MessageReader reader{piece}; reader.next(message);) {
        const bool is_error = message.header.nlmsg_type == NLMSG_ERROR;
        if (is_error || message.header.nlmsg_type == NLMSG_DONE) {
            if (message.error() != 0) return unanswered(message.error());
            return true;
        }
        if (message.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) continue;
        if (auto socket = parse_socket(message.payload)) sockets.push_back(*socket);
    }
    return false;
}

Result<void> read_family(netlink::Socket& socket, Family family, std::vector<TcpSocket>& sockets) {
    const auto request = socket_request(family);
    if (auto sent = socket.send(request); !sent) return unanswered(sent.error().number);
    std::vector<std::byte> buffer(netlink::kDumpBuffer);
    for (;;) {
        const auto piece = socket.receive(buffer);
        if (!piece) return unanswered(piece.error().number);
        ASSIGN_OR_RETURN(const auto ended, add_sockets_in(*piece, sockets));
        if (ended) return {};
    }
}

}  // namespace

FlowFilter filter_of(const TcpSocket& socket) {
    const auto alone = [](const Address& address) {
        return Prefix{address, static_cast<std::uint8_t>(address_bits(address.family))};
    };
    FlowFilter filter;
    filter.source = alone(socket.remote);
    filter.destination = alone(socket.local);
    filter.source_port = PortRange{socket.remote_port, socket.remote_port};
    filter.destination_port = PortRange{socket.local_port, socket.local_port};
    filter.protocols = {Protocol::Tcp};
    return filter;
}

std::vector<std::byte> socket_request(Family family) {
    struct {
        nlmsghdr header{};
        inet_diag_req_v2 request{};
    } message;
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.request.sdiag_family = family == Family::Ipv4 ? AF_INET : AF_INET6;
    message.request.sdiag_protocol = IPPROTO_TCP;
    message.request.idiag_states = (1U << TCP_ESTABLISHED) | (1U << TCP_LISTEN);
    std::vector<std::byte> bytes(sizeof message);
    std::memcpy(bytes.data(), &message, sizeof message);
    return bytes;
}

std::optional<TcpSocket> parse_socket(netlink::Bytes payload) {
    SocketMessage message{};
    if (payload.size() < sizeof message) return std::nullopt;
    std::memcpy(&message, payload.data(), sizeof message);
    if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6) return std::nullopt;
    if (message.idiag_state != TCP_ESTABLISHED && message.idiag_state != TCP_LISTEN) return std::nullopt;
    TcpSocket socket;
    socket.listens = message.idiag_state == TCP_LISTEN;
    socket.local = address_of(message.idiag_family, message.id.idiag_src);
    socket.local_port = ntohs(message.id.idiag_sport);
    socket.remote = address_of(message.idiag_family, message.id.idiag_dst);
    socket.remote_port = ntohs(message.id.idiag_dport);
    socket.inode = message.idiag_inode;
    socket.cgroup = cgroup_in(payload.subspan(sizeof message));
    return socket;
}

Result<std::vector<TcpSocket>> read_tcp_sockets() {
    ASSIGN_OR_RETURN(auto socket, netlink::Socket::open_diagnostics());
    std::vector<TcpSocket> sockets;
    for (const auto family : {Family::Ipv4, Family::Ipv6})
        RETURN_IF_ERROR(read_family(socket, family, sockets));
    return sockets;
}

}  // namespace headgate::sessions
