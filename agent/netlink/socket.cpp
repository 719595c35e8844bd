// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/socket.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <random>

namespace headgate::netlink {
namespace {

void set_room(int fd, int beyond_limit, int within_limit, int bytes) noexcept {
    if (::setsockopt(fd, SOL_SOCKET, beyond_limit, &bytes, sizeof bytes) != 0) {
        ::setsockopt(fd, SOL_SOCKET, within_limit, &bytes, sizeof bytes);
    }
}

}  // namespace

Result<Socket> Socket::open() {
    return open_as(NETLINK_NETFILTER, MNL_SOCKET_AUTOPID);
}

Result<Socket> Socket::open_diagnostics() {
    return open_as(NETLINK_SOCK_DIAG, MNL_SOCKET_AUTOPID);
}

Result<Socket> Socket::open_routing() {
    return open_as(NETLINK_ROUTE, MNL_SOCKET_AUTOPID);
}

Result<Socket> Socket::open(const PortBlock& ports) {
    const std::uint32_t start = std::random_device{}();
    Result<Socket> socket = failed("there is no port to bind a netlink socket to");
    for (std::uint32_t i = 0; i < ports.size; ++i) {
        socket = open_as(NETLINK_NETFILTER, ports.first + (start + i) % ports.size);
        if (socket || socket.error().number != EADDRINUSE) break;
    }
    return socket;
}

Result<Socket> Socket::open_as(int protocol, std::uint32_t port_id) {
    Socket socket{mnl_socket_open2(protocol, SOCK_CLOEXEC)};
    if (!socket.socket_) return system_error(errno, "opening a netlink socket");
    if (mnl_socket_bind(socket.socket_.get(), 0, static_cast<pid_t>(port_id)) < 0) {
        return system_error(errno, "binding a netlink socket");
    }
    // Error answers then omit the request: a tenth of the size. Harmless if the kernel lacks the option.
    int on = 1;
    mnl_socket_setsockopt(socket.socket_.get(), NETLINK_CAP_ACK, &on, sizeof on);
    return socket;
}

void Socket::set_receive_room(int bytes) noexcept {
    set_room(mnl_socket_get_fd(socket_.get()), SO_RCVBUFFORCE, SO_RCVBUF, bytes);
}

void Socket::set_send_room(int bytes) noexcept {
    set_room(mnl_socket_get_fd(socket_.get()), SO_SNDBUFFORCE, SO_SNDBUF, bytes);
}

Result<void> Socket::drop_not_found() noexcept {
    constexpr std::uint32_t kDrop = 0;
    constexpr std::uint32_t kKeep = UINT32_MAX;
    std::array<sock_filter, 6> program{{
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(nlmsghdr, nlmsg_type)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NLMSG_ERROR), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(nlmsghdr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(static_cast<std::uint32_t>(-ENOENT)), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, kDrop),
        BPF_STMT(BPF_RET | BPF_K, kKeep),
    }};
    return filter(program);
}

Result<void> Socket::filter(std::span<sock_filter> program) noexcept {
    const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
    if (::setsockopt(mnl_socket_get_fd(socket_.get()), SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) != 0) {
        return system_error(errno, "filtering netfilter's messages");
    }
    return {};
}

Result<void> Socket::subscribe(int group) noexcept {
    if (mnl_socket_setsockopt(socket_.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
        const int fault = errno;
        return system_error(fault, fault == EPERM ? "subscribing to netfilter's events (needs CAP_NET_ADMIN)"
                                                  : "subscribing to netfilter's events");
    }
    return {};
}

void Socket::unsubscribe(int group) noexcept {
    mnl_socket_setsockopt(socket_.get(), NETLINK_DROP_MEMBERSHIP, &group, sizeof group);
}

Result<void> Socket::only_count_drops() noexcept {
    int on = 1;
    if (mnl_socket_setsockopt(socket_.get(), NETLINK_NO_ENOBUFS, &on, sizeof on) < 0) {
        return system_error(errno, "asking netfilter to go on after a loss");
    }
    return {};
}

std::uint32_t Socket::drops() const noexcept {
    std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
    socklen_t size = sizeof figures;
    if (::getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, figures.data(), &size) != 0) return 0;
    return figures[SK_MEMINFO_DROPS];
}

Result<void> Socket::send(Bytes messages) {
    while (mnl_socket_sendto(socket_.get(), messages.data(), messages.size()) < 0) {
        if (errno != EINTR) return system_error(errno, "sending to netfilter");
    }
    return {};
}

Result<Bytes> Socket::receive(std::span<std::byte> buffer) {
    ASSIGN_OR_RETURN(auto received, receive(buffer, 0));
    return received.value_or(Bytes{});
}

Result<std::optional<Bytes>> Socket::receive_waiting(std::span<std::byte> buffer) {
    return receive(buffer, MSG_DONTWAIT);
}

Result<std::optional<Bytes>> Socket::receive(std::span<std::byte> buffer, int flags) {
    for (;;) {
        sockaddr_nl sender{};
        iovec piece{buffer.data(), buffer.size()};
        msghdr header{};
        header.msg_name = &sender;
        header.msg_namelen = sizeof sender;
        header.msg_iov = &piece;
        header.msg_iovlen = 1;
        const ssize_t size = ::recvmsg(mnl_socket_get_fd(socket_.get()), &header, flags);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
        if (size < 0) return system_error(errno, "receiving from netfilter");
        if (sender.nl_pid != 0) continue;  // another process may send to this port; only the kernel (port 0) is trusted
        if ((header.msg_flags & MSG_TRUNC) != 0) {
            return system_error(EMSGSIZE, fmt::format("receiving from netfilter into {} bytes", buffer.size()));
        }
        return Bytes{buffer.first(static_cast<std::size_t>(size))};
    }
}

std::uint32_t Socket::port_id() const noexcept {
    return mnl_socket_get_portid(socket_.get());
}

}  // namespace headgate::netlink
