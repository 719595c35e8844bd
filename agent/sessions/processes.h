// SPDX-License-Identifier: GPL-2.0-or-later
// What /proc and the control groups show of processes that serve SSH, hold sockets, or are ancestors of this process.
// Permissions may hide processes or their descriptors; the results are then incomplete (see HeldSockets::is_all).
#pragma once

#include <cstdint>
#include <map>
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

/// The owner of a socket, by systemd unit. A socket belongs to the control group in which it was created, and an
/// accepted one to that of its listening socket (net/core/sock.c, sk_clone_lock). Control groups are visible to every
/// process, even where other users' processes are not, as in the agent's sandbox. Judged by a unit's name, which is
/// that of its control group's folder.
enum class UnitKind : std::uint8_t {
    Ssh,    ///< a service or socket that serves SSH, by its name: ssh.service, sshd-mgmt.service, dropbear@1.service
    Other,  ///< another service or socket
    Any,    ///< may contain any program: a login session, a container
};

[[nodiscard]] UnitKind unit_kind(std::string_view folder_name);

/// Folder names by inode (version 2; include/linux/cgroup.h, cgroup_id). Empty if there are none.
[[nodiscard]] std::map<std::uint64_t, std::string> read_units();

}  // namespace headgate::sessions
