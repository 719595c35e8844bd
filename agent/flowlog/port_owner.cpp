// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/port_owner.h"

#include <linux/netlink.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <vector>

#include "base/text.h"
#include "files/proc.h"

namespace headgate::flowlog {
namespace {

/// Limit of descriptors inspected for one port: this takes some tens of milliseconds.
constexpr std::size_t kMostDescriptors = 20'000;

/// Process IDs are below this (include/linux/threads.h, PID_MAX_LIMIT).
constexpr std::uint32_t kProcessIds = 1U << 22U;

bool is_in_namespace(pid_t process, std::uint64_t namespace_inode) {
    struct stat status {};
    return ::stat((folder_of_process(process) / "ns/net").c_str(), &status) == 0 && status.st_ino == namespace_inode;
}

/// The inode of the socket bound to the port, from the socket table of the process's network namespace (af_netlink.c,
/// netlink_native_seq_show: sk, protocol, port, ..., inode).
std::optional<std::uint64_t> socket_of_port(pid_t process, std::uint32_t port_id) {
    std::ifstream table{folder_of_process(process) / "net/netlink"};
    std::string line;
    while (std::getline(table, line)) {
        std::array<std::string, 10> columns;
        std::size_t count = 0;
        for (std::istringstream words{line}; count < columns.size() && words >> columns[count];)
            ++count;
        if (count != columns.size() || parse_unsigned<unsigned>(columns[1]) != unsigned{NETLINK_NETFILTER}) continue;
        if (parse_unsigned<std::uint32_t>(columns[2]) == port_id) return parse_unsigned<std::uint64_t>(columns[9]);
    }
    return std::nullopt;
}

/// Whether one of the process's descriptors is this socket. Adds the number of inspected descriptors to `looked_at`.
bool holds(pid_t process, std::uint64_t socket, std::size_t& looked_at) {
    bool found = false;
    each_descriptor(process, [&](const std::filesystem::path& descriptor) {
        found = socket_behind(descriptor) == socket;
        return !found && ++looked_at < kMostDescriptors;
    });
    return found;
}

/// Highest process ID first: programs that delete flows are usually recently started.
std::vector<pid_t> processes() {
    std::vector<pid_t> ids;
    each_process([&](pid_t id) {
        ids.push_back(id);
        return true;
    });
    std::ranges::sort(ids, std::greater{});
    return ids;
}

/// The process whose ID is the port ID. Equal numbers prove nothing: the kernel takes the ID from the process's own pid
/// namespace (af_netlink.c, netlink_autobind: task_tgid_vnr), and a container has its own.
std::string owner_by_number(std::uint32_t port_id, std::uint64_t namespace_inode) {
    if (port_id >= kProcessIds) return {};
    const auto namesake = static_cast<pid_t>(port_id);
    if (!is_in_namespace(namesake, namespace_inode)) return {};
    auto name = name_of_process(namesake);  // read first: the process may exit at any moment
    const auto socket = socket_of_port(namesake, port_id);
    std::size_t looked_at = 0;
    return socket && holds(namesake, *socket, looked_at) ? name : std::string{};
}

std::optional<std::uint64_t> socket_in_namespace(const std::vector<pid_t>& all, std::uint32_t port_id,
                                                 std::uint64_t namespace_inode) {
    const auto is_inside = [&](pid_t id) { return is_in_namespace(id, namespace_inode); };
    const auto inside = std::ranges::find_if(all, is_inside);
    return inside != all.end() ? socket_of_port(*inside, port_id) : std::nullopt;
}

/// For the second and later sockets of a process, whose port IDs are random, and for processes in other pid namespaces.
std::string owner_by_search(std::uint32_t port_id, std::uint64_t namespace_inode) {
    const auto all = processes();
    const auto socket = socket_in_namespace(all, port_id, namespace_inode);
    if (!socket) return {};
    std::size_t looked_at = 0;
    for (const auto id : all) {
        if (holds(id, *socket, looked_at)) return name_of_process(id);
        if (looked_at >= kMostDescriptors) break;
    }
    return {};
}

}  // namespace

std::string owner_of_port(std::uint32_t port_id, std::uint64_t namespace_inode) {
    auto owner = owner_by_number(port_id, namespace_inode);
    return owner.empty() ? owner_by_search(port_id, namespace_inode) : owner;
}

}  // namespace headgate::flowlog
