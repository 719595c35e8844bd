// Which process a netlink port belongs to. Best effort: programs that delete a flow are often gone a moment later.
#pragma once

#include <cstdint>
#include <string>

namespace headgate::flowlog {

/// The name (comm) of the process that holds this netfilter port of the network namespace with this inode number
/// (/proc/PID/ns/net). Empty where there is none, or no telling. Quick for ports that are named after their process,
/// as the first of each process is (af_netlink.c, netlink_autobind).
[[nodiscard]] std::string owner_of_port(std::uint32_t port_id, std::uint64_t namespace_inode);

}  // namespace headgate::flowlog
