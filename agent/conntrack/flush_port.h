// SPDX-License-Identifier: GPL-2.0-or-later
// The netlink ports from which headgate deletes flows. The kernel reports to every listener which port deleted a flow
// (nlmsg_pid of the event; nf_conntrack_netlink.c, ctnetlink_conntrack_event), so headgate's deletes are recognizable
// by the port number, whichever process sent them.
#pragma once

#include <cstdint>

#include "netlink/socket.h"

namespace headgate::conntrack {

/// Above every process id (at most 2^22, include/linux/threads.h), which the kernel uses for a process's first socket,
/// and below 2^31: other ports that the kernel chooses are negative (af_netlink.c, netlink_autobind).
inline constexpr std::uint32_t kFlushPorts = 0x48670000;  // "Hg"
inline constexpr std::uint32_t kFlushPortMask = 0xffff0000;

[[nodiscard]] constexpr bool is_flush_port(std::uint32_t port_id) {
    return (port_id & kFlushPortMask) == kFlushPorts;
}

/// The ports for sockets that delete flows.
inline constexpr netlink::PortBlock kFlushPortBlock{kFlushPorts, ~kFlushPortMask + 1};

}  // namespace headgate::conntrack
