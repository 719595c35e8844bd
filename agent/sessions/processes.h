// What /proc shows of processes that serve SSH, hold sockets, or are above this one. Who may not see a process, or its
// descriptors, is told less, and knows it.
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

/// A process above this one.
struct Ancestor {
    std::string name;
    std::optional<std::string> ssh_connection;  ///< of its environment, where that can be read
    std::set<std::uint64_t> sockets;            ///< inodes; of one that serves SSH, where they can be read

    friend bool operator==(const Ancestor&, const Ancestor&) = default;
};

/// This process first, then its parent, and so on, as far as can be seen.
[[nodiscard]] std::vector<Ancestor> read_ancestors();

/// The sockets of each process in sight that serves SSH.
[[nodiscard]] std::vector<std::set<std::uint64_t>> read_ssh_servers();

/// Those of these sockets that a process in sight holds.
struct HeldSockets {
    std::set<std::uint64_t> inodes;
    bool is_all = false;  ///< no process was out of sight: what is not here is held by none
};

[[nodiscard]] HeldSockets find_held(const std::set<std::uint64_t>& sockets);

}  // namespace headgate::sessions
