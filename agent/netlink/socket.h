// SPDX-License-Identifier: GPL-2.0-or-later
// A netlink socket to the kernel's netfilter subsystems, to sock_diag(7) or to rtnetlink(7).
#pragma once

#include <libmnl/libmnl.h>
#include <linux/filter.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "headgate/result.h"

#include "netlink/messages.h"

namespace headgate::netlink {

/// The largest piece of a dump: netlink_dump() allocates the size of the reader's buffer, up to 32 KiB (af_netlink.c,
/// netlink_recvmsg: max_recvmsg_len is capped at SKB_WITH_OVERHEAD(32768)).
inline constexpr std::size_t kDumpBuffer = 32 * 1024;

/// A range of `size` port ids, from which sockets choose a free one.
struct PortBlock {
    std::uint32_t first = 0;
    std::uint32_t size = 0;
};

/// Not thread-safe. Requests are answered within send(): the subsystem processes a buffer before sendmsg() returns
/// (af_netlink.c, netlink_unicast_kernel), so an answer that is not queued then will not come.
class Socket {
  public:
    /// Opens a socket in the calling thread's network namespace.
    [[nodiscard]] static Result<Socket> open();

    /// Likewise, bound to any port id of the block that is free in that namespace.
    [[nodiscard]] static Result<Socket> open(const PortBlock& ports);

    /// Opens a socket to sock_diag(7), in the calling thread's network namespace.
    [[nodiscard]] static Result<Socket> open_diagnostics();

    /// Opens a socket to rtnetlink(7), in the calling thread's network namespace.
    [[nodiscard]] static Result<Socket> open_routing();

    /// Sets the size of the receive buffer, beyond the system's limit if CAP_NET_ADMIN allows it.
    void set_receive_room(int bytes) noexcept;

    /// Sets the size of the send buffer, which limits one send(), likewise.
    void set_send_room(int bytes) noexcept;

    /// Makes the kernel discard ENOENT answers, for callers that look up many entries that do not exist. Never on a
    /// socket for dumps: there the filter decides on a whole piece of many messages (af_netlink.c, netlink_dump).
    [[nodiscard]] Result<void> drop_not_found() noexcept;

    /// Attaches a program (classic BPF); the kernel queues only the datagrams that it keeps. The program sees a whole
    /// datagram, and replaces the previous one without a gap. Its loads are in network byte order; netlink headers are
    /// in host byte order.
    [[nodiscard]] Result<void> filter(std::span<sock_filter> program) noexcept;

    /// From now on, messages to this multicast group (NFNLGRP_...) are queued. Needs CAP_NET_ADMIN: netfilter's groups
    /// are closed to other users (nfnetlink.c, nfnetlink_net_init: no NL_CFG_F_NONROOT_RECV).
    [[nodiscard]] Result<void> subscribe(int group) noexcept;

    /// Ends the subscription; messages already queued can still be received.
    void unsubscribe(int group) noexcept;

    /// Messages for which there is no room are only counted (drops()): no receive fails with ENOBUFS, and later
    /// messages are queued as soon as there is room. Without this, all messages are lost until the last queued one was
    /// received (af_netlink.c, netlink_overrun: NETLINK_S_CONGESTED).
    [[nodiscard]] Result<void> only_count_drops() noexcept;

    /// Messages that the kernel dropped for lack of room since the socket was opened, modulo 2^32.
    [[nodiscard]] std::uint32_t drops() const noexcept;

    [[nodiscard]] Result<void> send(Bytes messages);

    /// The next datagram; waits for it. For dumps, whose pieces the kernel produces on request.
    [[nodiscard]] Result<Bytes> receive(std::span<std::byte> buffer);

    /// The next queued datagram, or nothing. ENOBUFS is an error: answers were lost. So is EMSGSIZE: the datagram was
    /// longer than the buffer and is lost.
    [[nodiscard]] Result<std::optional<Bytes>> receive_waiting(std::span<std::byte> buffer);

    [[nodiscard]] std::uint32_t port_id() const noexcept;

    /// For poll(2): readable when a datagram is queued.
    [[nodiscard]] int fd() const noexcept { return mnl_socket_get_fd(socket_.get()); }

  private:
    struct Closer {
        void operator()(mnl_socket* socket) const noexcept { mnl_socket_close(socket); }
    };
    explicit Socket(mnl_socket* socket) noexcept : socket_(socket) {}

    [[nodiscard]] static Result<Socket> open_as(int protocol, std::uint32_t port_id);
    [[nodiscard]] Result<std::optional<Bytes>> receive(std::span<std::byte> buffer, int flags);

    std::unique_ptr<mnl_socket, Closer> socket_;
};

/// Receives the queued answers to requests that were sent at once, and passes each message to `sink`. Returns whether
/// none was lost.
template <typename Sink>
[[nodiscard]] bool receive_answers(Socket& socket, std::span<std::byte> buffer, Sink sink) {
    bool nothing_lost = true;
    for (;;) {
        const auto piece = socket.receive_waiting(buffer);
        if (!piece) {
            nothing_lost = false;  // ENOBUFS is reported once; queued answers follow
            if (piece.error().number != ENOBUFS) return false;
            continue;
        }
        if (!*piece) return nothing_lost;
        Message message;
        for (MessageReader reader{**piece}; reader.next(message);)
            sink(message);
    }
}

}  // namespace headgate::netlink
