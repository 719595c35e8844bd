// Whose sockets are whose by systemd's units. A socket belongs to the control group that it was made in, and one that
// was accepted to that of the socket that listens (net/core/sock.c, sk_clone_lock). Everybody may see the groups, also
// where nobody else's processes are in sight, as in the agent's sandbox.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace headgate::sessions {

/// Of a unit's name, the control group's folder.
enum class UnitKind : std::uint8_t {
    Ssh,    ///< a service or socket that serves SSH, by its name: ssh.service, sshd-mgmt.service, dropbear@1.service
    Other,  ///< another service or socket
    Any,    ///< whatever somebody has started there: a login, a container
};

[[nodiscard]] UnitKind unit_kind(std::string_view folder_name);

/// The folders' names by their inodes (version 2, include/linux/cgroup.h, cgroup_id). Empty where there are none.
[[nodiscard]] std::map<std::uint64_t, std::string> read_units();

}  // namespace headgate::sessions
