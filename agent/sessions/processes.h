// SPDX-License-Identifier: GPL-2.0-or-later
// What /proc shows of processes that serve SSH, hold sockets, or are ancestors of this process. Permissions may hide
// processes or their descriptors; the results are then incomplete (see HeldSockets::is_all).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace headgate::sessions {

/// Whether a process of this name (proc(5), comm) serves SSH: sshd, sshd-session and sshd-auth of OpenSSH, dropbear.
[[nodiscard]] bool serves_ssh(std::string_view process_name);

/// This process or one of its ancestors.
struct Ancestor {
    std::string name;
    std::optional<std::string> ssh_connection;  ///< from its environment, if readable
    std::set<std::uint64_t> sockets;            ///< inodes; only for SSH servers, if readable

    friend bool operator==(const Ancestor&, const Ancestor&) = default;
};

/// This process first, then its parent, and so on, as far as visible.
[[nodiscard]] std::vector<Ancestor> read_ancestors();

/// The socket inodes of each visible process that serves SSH.
[[nodiscard]] std::vector<std::set<std::uint64_t>> read_ssh_servers();

/// Which of the given sockets are held by visible processes.
struct HeldSockets {
    std::set<std::uint64_t> inodes;
    bool is_all = false;  ///< every process was visible: no process holds the other sockets
};

[[nodiscard]] HeldSockets find_held(const std::set<std::uint64_t>& sockets);

}  // namespace headgate::sessions
