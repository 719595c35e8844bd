// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the process that a netlink port belongs to. Best effort: programs that delete a flow often exit a moment later.
#pragma once

#include <cstdint>
#include <string>

namespace headgate::flowlog {

/// The name (comm) of the process that holds this NETLINK_NETFILTER port in the network namespace with this inode
/// number (/proc/PID/ns/net). Empty if none is found. Fast if the port ID is the process ID, as for a process's first
/// netlink socket (af_netlink.c, netlink_autobind).
[[nodiscard]] std::string owner_of_port(std::uint32_t port_id, std::uint64_t namespace_inode);

}  // namespace headgate::flowlog
