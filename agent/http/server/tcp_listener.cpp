// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/tcp_listener.h"

#include <Poco/Net/SocketAddress.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace headgate::http {
namespace {

using Poco::Net::SocketAddress;

constexpr int kBacklog = 128;

SocketAddress socket_address(const Address& address, std::uint16_t port) {
    const auto size = static_cast<poco_socklen_t>(address_octets(address.family));
    return {Poco::Net::IPAddress{address.octets.data(), size}, port};
}

Address address_in(const SocketAddress& from) {
    const auto host = from.host();
    Address address;
    address.family = host.family() == Poco::Net::IPAddress::IPv6 ? Family::Ipv6 : Family::Ipv4;
    std::memcpy(address.octets.data(), host.addr(), host.length());
    return address;
}

/// One end of a connection, by getpeername(2) or getsockname(2).
Result<SocketAddress> end_of(int connection, int (*name_of)(int, sockaddr*, socklen_t*), const char* call) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* const address = reinterpret_cast<sockaddr*>(&storage);
    if (name_of(connection, address, &size) != 0) return system_error(errno, call);
    return SocketAddress{address, size};
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
    const auto own = socket_address(address, port);
    if (::bind(bound.get(), own.addr(), own.length()) != 0) return system_error(errno, place_of(address, port));
    return bound;
}

Result<FileDescriptor> listen_on_tcp(const Address& address, std::uint16_t port) {
    ASSIGN_OR_RETURN(auto bound, bind_tcp(address, port));
    if (::listen(bound.get(), kBacklog) != 0) return system_error(errno, place_of(address, port));
    return bound;
}

Result<TcpEnds> ends_of(int connection) {
    ASSIGN_OR_RETURN(const auto peer, end_of(connection, ::getpeername, "getpeername"));
    ASSIGN_OR_RETURN(const auto own, end_of(connection, ::getsockname, "getsockname"));
    return TcpEnds{address_in(peer), address_in(own), own.port()};
}

void send_at_once(int connection) {
    set(connection, IPPROTO_TCP, TCP_NODELAY);
}

}  // namespace headgate::http
