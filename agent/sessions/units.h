// SPDX-License-Identifier: GPL-2.0-or-later
// The owners of sockets, by systemd unit. A socket belongs to the control group in which it was created, and an
// accepted one to that of its listening socket (net/core/sock.c, sk_clone_lock). Control groups are visible to every
// process, even where other users' processes are not, as in the agent's sandbox.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace headgate::sessions {

/// By a unit's name, which is that of its control group's folder.
enum class UnitKind : std::uint8_t {
    Ssh,    ///< a service or socket that serves SSH, by its name: ssh.service, sshd-mgmt.service, dropbear@1.service
    Other,  ///< another service or socket
    Any,    ///< may contain any program: a login session, a container
};

[[nodiscard]] UnitKind unit_kind(std::string_view folder_name);

/// Folder names by inode (version 2; include/linux/cgroup.h, cgroup_id). Empty if there are none.
[[nodiscard]] std::map<std::uint64_t, std::string> read_units();

}  // namespace headgate::sessions
