// A socket to the kernel's netfilter subsystems, or to the one that tells of other sockets.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "headgate/result.h"

#include "netlink/attributes.h"

namespace headgate::netlink {

/// The largest piece of a dump: netlink_dump() allocates what the reader's buffer takes, up to 32 KiB (af_netlink.c,
/// netlink_recvmsg: max_recvmsg_len is capped at SKB_WITH_OVERHEAD(32768)).
inline constexpr std::size_t kDumpBuffer = 32 * 1024;

/// Numbers for sockets to choose from: `size` of them.
struct PortBlock {
    std::uint32_t first = 0;
    std::uint32_t size = 0;
};

/// Not thread-safe. Requests are answered inside send(): the subsystem works through a buffer before sendmsg() returns
/// (af_netlink.c, netlink_unicast_kernel), so what is not there to be received then will not come.
class Socket {
  public:
    /// In the calling thread's network namespace.
    [[nodiscard]] static Result<Socket> open();

    /// Likewise, under any number of the block that is free in that namespace.
    [[nodiscard]] static Result<Socket> open(const PortBlock& ports);

    /// To sock_diag(7), in the calling thread's network namespace.
    [[nodiscard]] static Result<Socket> open_diagnostics();

    /// Room for answers that wait to be received, beyond the system's limit where CAP_NET_ADMIN allows it.
    void set_receive_room(int bytes) noexcept;

    /// Room for what one send() may carry, likewise.
    void set_send_room(int bytes) noexcept;

    /// Lets the kernel throw away answers that say ENOENT, for those who ask for much that is not there. Never on a
    /// socket for dumps: there a filter judges a whole piece of many messages (af_netlink.c, netlink_dump).
    [[nodiscard]] Result<void> drop_not_found() noexcept;

    /// The kernel puts into the socket's room only what this program (classic BPF) keeps. It sees a whole datagram, and
    /// takes the place of the one before without a gap. Its loads are in network order; netlink's headers are in the
    /// host's.
    [[nodiscard]] Result<void> filter(std::span<sock_filter> program) noexcept;

    /// From now on, what the kernel tells this group (NFNLGRP_...) waits to be received. Needs CAP_NET_ADMIN: netfilter
    /// has no groups for everybody (nfnetlink.c, nfnetlink_net_init: no NL_CFG_F_NONROOT_RECV).
    [[nodiscard]] Result<void> subscribe(int group) noexcept;

    /// No more of it from now on; what waits already can still be received.
    void unsubscribe(int group) noexcept;

    /// What there is no room for is only counted (drops()): no receive fails with ENOBUFS, and what comes later is
    /// taken as soon as there is room again. Without this, everything is lost until the last message has been received
    /// (af_netlink.c, netlink_overrun: NETLINK_S_CONGESTED).
    [[nodiscard]] Result<void> only_count_drops() noexcept;

    /// How many messages the kernel had no room for, over the socket's life, modulo 2^32.
    [[nodiscard]] std::uint32_t drops() const noexcept;

    [[nodiscard]] Result<void> send(Bytes messages);

    /// The next datagram; waits for it. For dumps, whose pieces are made as they are asked for.
    [[nodiscard]] Result<Bytes> receive(std::span<std::byte> buffer);

    /// The next datagram that waits already, or nothing. ENOBUFS is an error: answers were lost. So is EMSGSIZE: it was
    /// longer than the buffer, and is lost.
    [[nodiscard]] Result<std::optional<Bytes>> receive_waiting(std::span<std::byte> buffer);

    [[nodiscard]] std::uint32_t port_id() const noexcept;

    /// For poll(2): readable when something waits to be received.
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

}  // namespace headgate::netlink
