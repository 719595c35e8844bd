// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/tcp_listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace headgate::http {
namespace {

constexpr int kBacklog = 128;

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const Address& address, std::uint16_t port) {
    SocketAddress made;
    if (address.family == Family::Ipv4) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        std::memcpy(&in.sin_addr, address.octets.data(), address_octets(address.family));
        made.size = sizeof in;
        std::memcpy(&made.storage, &in, sizeof in);
    } else {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(port);
        std::memcpy(&in.sin6_addr, address.octets.data(), address_octets(address.family));
        made.size = sizeof in;
        std::memcpy(&made.storage, &in, sizeof in);
    }
    return made;
}

Address address_in(const SocketAddress& from) {
    Address address;
    if (from.storage.ss_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &from.storage, sizeof in);
        std::memcpy(address.octets.data(), &in.sin_addr, sizeof in.sin_addr);
    } else {
        sockaddr_in6 in{};
        std::memcpy(&in, &from.storage, sizeof in);
        address.family = Family::Ipv6;
        std::memcpy(address.octets.data(), &in.sin6_addr, sizeof in.sin6_addr);
    }
    return address;
}

std::uint16_t port_in(const SocketAddress& from) {
    // At the same offset in both (ip(7), ipv6(7)).
    sockaddr_in in{};
    std::memcpy(&in, &from.storage, sizeof in);
    return ntohs(in.sin_port);
}

void set(int socket, int level, int option) {
    const int on = 1;
    // A failure makes things slower or take longer, but not wrong.
    static_cast<void>(::setsockopt(socket, level, option, &on, sizeof on));
}

}  // namespace

std::string place_of(const Address& address, std::uint16_t port) {
    return fmt::format("{} port {}", to_string(address), port);
}

Result<FileDescriptor> bind_tcp(const Address& address, std::uint16_t port) {
    const bool is_ipv4 = address.family == Family::Ipv4;
    FileDescriptor bound{
        ::socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP)};
    if (!bound.is_open()) return system_error(errno, place_of(address, port));
    set(bound.get(), SOL_SOCKET, SO_REUSEADDR);
    if (!is_ipv4) set(bound.get(), IPPROTO_IPV6, IPV6_V6ONLY);
    // Allows an address that is assigned later (ip(7)): when the network is up, or by VRRP.
    set(bound.get(), is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6, is_ipv4 ? IP_FREEBIND : IPV6_FREEBIND);
    auto own = socket_address(address, port);
    if (::bind(bound.get(), own.generic(), own.size) != 0) return system_error(errno, place_of(address, port));
    return bound;
}

Result<FileDescriptor> listen_on_tcp(const Address& address, std::uint16_t port) {
    ASSIGN_OR_RETURN(auto bound, bind_tcp(address, port));
    if (::listen(bound.get(), kBacklog) != 0) return system_error(errno, place_of(address, port));
    return bound;
}

Result<TcpEnds> ends_of(int connection) {
    SocketAddress peer;
    SocketAddress own;
    peer.size = own.size = sizeof peer.storage;
    if (::getpeername(connection, peer.generic(), &peer.size) != 0) return system_error(errno, "getpeername");
    if (::getsockname(connection, own.generic(), &own.size) != 0) return system_error(errno, "getsockname");
    return TcpEnds{address_in(peer), address_in(own), port_in(own)};
}

void send_at_once(int connection) {
    set(connection, IPPROTO_TCP, TCP_NODELAY);
}

}  // namespace headgate::http
