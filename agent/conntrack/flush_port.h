// The netlink ports that headgate deletes flows from. The kernel tells everybody who listens which port deleted a flow
// (nlmsg_pid of the event; nf_conntrack_netlink.c, ctnetlink_conntrack_event), so headgate's ports are recognizable by
// their number, whatever process they belong to.
#pragma once

#include <cstdint>

#include "netlink/socket.h"

namespace headgate::conntrack {

/// Above every process id (at most 2^22, include/linux/threads.h), by which the kernel numbers the first socket of a
/// process, and below 2^31: what it chooses otherwise is negative (af_netlink.c, netlink_autobind).
inline constexpr std::uint32_t kFlushPorts = 0x48670000;  // "Hg"
inline constexpr std::uint32_t kFlushPortMask = 0xffff0000;

[[nodiscard]] constexpr bool is_flush_port(std::uint32_t port_id) {
    return (port_id & kFlushPortMask) == kFlushPorts;
}

/// Where a socket that deletes flows gets its port from.
inline constexpr netlink::PortBlock kFlushPortBlock{kFlushPorts, ~kFlushPortMask + 1};

}  // namespace headgate::conntrack
