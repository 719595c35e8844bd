// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/port_owner.h"

#include <linux/netlink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/text.h"

namespace headgate::flowlog {
namespace {

/// Limit of descriptors inspected for one port: this takes some tens of milliseconds.
constexpr std::size_t kMostDescriptors = 20'000;

/// Process IDs are below this (include/linux/threads.h, PID_MAX_LIMIT).
constexpr std::uint32_t kProcessIds = 1U << 22U;

using ProcessId = std::uint32_t;

std::filesystem::path process(ProcessId id) {
    return "/proc/" + std::to_string(id);
}

/// Visits the entries of a directory that may vanish meanwhile: then only those seen by then.
template <typename See>
void each_entry(const std::filesystem::path& folder, See see) {
    std::error_code failed;
    for (std::filesystem::directory_iterator entry{folder, failed}, end; entry != end; entry.increment(failed)) {
        if (!see(entry->path())) return;
    }
}

bool is_in_namespace(const std::filesystem::path& process, std::uint64_t namespace_inode) {
    struct stat status {};
    return ::stat((process / "ns/net").c_str(), &status) == 0 && status.st_ino == namespace_inode;
}

/// The inode of the socket bound to the port, from the socket table of the process's network namespace (af_netlink.c,
/// netlink_native_seq_show: sk, protocol, port, ..., inode).
std::optional<std::string> socket_of_port(const std::filesystem::path& process, std::uint32_t port_id) {
    std::ifstream table{process / "net/netlink"};
    std::string line;
    while (std::getline(table, line)) {
        std::array<std::string, 10> columns;
        std::size_t count = 0;
        for (std::istringstream words{line}; count < columns.size() && words >> columns[count];)
            ++count;
        if (count != columns.size() || parse_unsigned<unsigned>(columns[1]) != unsigned{NETLINK_NETFILTER}) continue;
        if (parse_unsigned<std::uint32_t>(columns[2]) == port_id) return "socket:[" + columns[9] + "]";
    }
    return std::nullopt;
}

/// Whether one of the process's descriptors is this socket. Adds the number of inspected descriptors to `looked_at`.
bool holds(const std::filesystem::path& process, std::string_view socket, std::size_t& looked_at) {
    bool found = false;
    each_entry(process / "fd", [&](const std::filesystem::path& descriptor) {
        std::array<char, 64> target{};
        const auto length = ::readlink(descriptor.c_str(), target.data(), target.size());
        found = length > 0 && std::string_view{target.data(), static_cast<std::size_t>(length)} == socket;
        return !found && ++looked_at < kMostDescriptors;
    });
    return found;
}

std::string name_of(const std::filesystem::path& process) {
    std::string name;
    std::getline(std::ifstream{process / "comm"}, name);
    return name;
}

/// Highest process ID first: programs that delete flows are usually recently started.
std::vector<ProcessId> processes() {
    std::vector<ProcessId> ids;
    each_entry("/proc", [&](const std::filesystem::path& entry) {
        if (const auto id = parse_unsigned<ProcessId>(entry.filename().native())) ids.push_back(*id);
        return true;
    });
    std::ranges::sort(ids, std::greater{});
    return ids;
}

/// The process whose ID is the port ID. Equal numbers prove nothing: the kernel takes the ID from the process's own pid
/// namespace (af_netlink.c, netlink_autobind: task_tgid_vnr), and a container has its own.
std::string owner_by_number(std::uint32_t port_id, std::uint64_t namespace_inode) {
    if (port_id >= kProcessIds) return {};
    const auto namesake = process(port_id);
    if (!is_in_namespace(namesake, namespace_inode)) return {};
    auto name = name_of(namesake);  // read first: the process may exit at any moment
    const auto socket = socket_of_port(namesake, port_id);
    std::size_t looked_at = 0;
    return socket && holds(namesake, *socket, looked_at) ? name : std::string{};
}

std::optional<std::string> socket_in_namespace(const std::vector<ProcessId>& all, std::uint32_t port_id,
                                               std::uint64_t namespace_inode) {
    const auto is_inside = [&](ProcessId id) { return is_in_namespace(process(id), namespace_inode); };
    const auto inside = std::ranges::find_if(all, is_inside);
    return inside != all.end() ? socket_of_port(process(*inside), port_id) : std::nullopt;
}

/// For the second and later sockets of a process, whose port IDs are random, and for processes in other pid namespaces.
std::string owner_by_search(std::uint32_t port_id, std::uint64_t namespace_inode) {
    const auto all = processes();
    const auto socket = socket_in_namespace(all, port_id, namespace_inode);
    if (!socket) return {};
    std::size_t looked_at = 0;
    for (const auto id : all) {
        if (holds(process(id), *socket, looked_at)) return name_of(process(id));
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
