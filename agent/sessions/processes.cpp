// SPDX-License-Identifier: GPL-2.0-or-later
#include "sessions/processes.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"

namespace headgate::sessions {
namespace {

constexpr int kMostAncestors = 64;

/// Limit on descriptors of other processes that are examined; takes some tenths of a second.
constexpr std::size_t kMostDescriptors = 100'000;

/// Inode of the initial pid namespace, which shows every process (include/uapi/linux/nsfs.h, PID_NS_INIT_INO).
constexpr ino_t kFirstPidNamespace = 0xEFFFFFFC;

using Folder = std::filesystem::path;

Folder folder_of(pid_t process) {
    return fmt::format("/proc/{}", process);
}

/// Calls `see` for the entries of a folder, which may vanish meanwhile, until it returns false. False: unreadable.
bool each_entry(const Folder& folder, const std::function<bool(const std::filesystem::directory_entry&)>& see) {
    std::error_code failed;
    for (std::filesystem::directory_iterator entry{folder, failed}, end; entry != end; entry.increment(failed)) {
        if (!see(*entry)) break;
    }
    return !failed || failed == std::errc::no_such_file_or_directory || failed == std::errc::no_such_process;
}

std::string name_in(const Folder& process) {
    std::string name;
    std::getline(std::ifstream{process / "comm"}, name);
    return name;
}

std::optional<std::uint64_t> socket_behind(const Folder& descriptor) {
    std::array<char, 64> target{};
    const auto length = ::readlink(descriptor.c_str(), target.data(), target.size());
    std::string_view text{target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
    constexpr std::string_view kBegin = "socket:[";
    if (!text.starts_with(kBegin) || !text.ends_with(']')) return std::nullopt;
    text.remove_prefix(kBegin.size());
    text.remove_suffix(1);
    return parse_unsigned<std::uint64_t>(text);
}

std::set<std::uint64_t> sockets_in(const Folder& process) {
    std::set<std::uint64_t> sockets;
    each_entry(process / "fd", [&](const Folder& descriptor) {
        if (const auto socket = socket_behind(descriptor)) sockets.insert(*socket);
        return true;
    });
    return sockets;
}

/// Returns false if /proc cannot be read.
bool each_process(const std::function<bool(const Folder&)>& see) {
    return each_entry("/proc", [&](const Folder& entry) {
        return !parse_unsigned<unsigned>(entry.filename().native()) || see(entry);
    });
}

/// Sockets may also be held by processes of other pid namespaces, and by hidden ones (proc(5), hidepid), in which case
/// process 1 is hidden, too.
bool every_process_is_in_sight() {
    struct stat own {};
    return ::stat("/proc/self/ns/pid", &own) == 0 && own.st_ino == kFirstPidNamespace && !name_in("/proc/1").empty();
}

std::optional<pid_t> parent_of(pid_t process) {
    // proc(5), stat: the parent follows the command, which is in parentheses and may contain any character.
    std::ifstream file{folder_of(process) / "stat"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto after_command = text.rfind(") ");
    if (after_command == std::string::npos || text.size() < after_command + 5) return std::nullopt;
    std::string_view rest = std::string_view{text}.substr(after_command + 4);
    const auto parent = parse_unsigned<unsigned>(take_until(rest, ' '));
    return parent ? std::optional{static_cast<pid_t>(*parent)} : std::nullopt;
}

std::optional<std::string> ssh_connection_in(const Folder& process) {
    constexpr std::string_view kVariable = "SSH_CONNECTION=";
    std::ifstream file{process / "environ", std::ios::binary};
    for (std::string variable; std::getline(file, variable, '\0');) {
        if (variable.starts_with(kVariable)) return variable.substr(kVariable.size());
    }
    return std::nullopt;
}

Ancestor read_ancestor(const Folder& process) {
    Ancestor ancestor{name_in(process), ssh_connection_in(process), {}};
    if (serves_ssh(ancestor.name)) ancestor.sockets = sockets_in(process);
    return ancestor;
}

bool is_version_2(const char* folder) {
    struct statfs status {};
    return ::statfs(folder, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

/// Opens each folder separately: a folder that vanishes meanwhile would end a single iterator over the whole tree.
void add_folders_below(const Folder& root, std::map<std::uint64_t, std::string>& units) {
    each_entry(root, [&](const std::filesystem::directory_entry& entry) {
        std::error_code gone;
        struct stat status {};
        const bool is_folder = !entry.is_symlink(gone) && entry.is_directory(gone);
        if (!is_folder || ::stat(entry.path().c_str(), &status) != 0) return true;
        units.emplace(status.st_ino, entry.path().filename().native());
        add_folders_below(entry, units);
        return true;
    });
}

}  // namespace

bool serves_ssh(std::string_view process_name) {
    constexpr std::array<std::string_view, 4> kServers = {"sshd", "sshd-session", "sshd-auth", "dropbear"};
    return std::ranges::find(kServers, process_name) != kServers.end();
}

std::vector<Ancestor> read_ancestors() {
    std::vector<Ancestor> ancestors;
    const auto self = ::getpid();
    for (std::optional<pid_t> process = self; process && *process > 1 && ancestors.size() < kMostAncestors;) {
        ancestors.push_back(read_ancestor(folder_of(*process)));
        process = parent_of(*process);
    }
    // The process's own environment is available even without /proc.
    if (ancestors.empty()) ancestors.emplace_back();
    const char* const own = std::getenv("SSH_CONNECTION");  // NOLINT(concurrency-mt-unsafe): headgate sets none
    ancestors.front().ssh_connection = own != nullptr ? std::optional<std::string>{own} : std::nullopt;
    return ancestors;
}

std::vector<std::set<std::uint64_t>> read_ssh_servers() {
    std::vector<std::set<std::uint64_t>> servers;
    each_process([&](const Folder& process) {
        if (!serves_ssh(name_in(process))) return true;
        if (auto sockets = sockets_in(process); !sockets.empty()) servers.push_back(std::move(sockets));
        return true;
    });
    return servers;
}

HeldSockets find_held(const std::set<std::uint64_t>& sockets) {
    HeldSockets held;
    std::size_t looked_at = 0;
    const auto look = [&](const Folder& descriptor) {
        const auto socket = socket_behind(descriptor);
        if (socket && sockets.contains(*socket)) held.inodes.insert(*socket);
        return ++looked_at < kMostDescriptors && held.inodes.size() < sockets.size();
    };
    bool is_readable = true;
    const bool is_listed = each_process([&](const Folder& process) {
        is_readable = each_entry(process / "fd", look) && is_readable;
        return looked_at < kMostDescriptors && held.inodes.size() < sockets.size();
    });
    held.is_all = is_listed && is_readable && looked_at < kMostDescriptors && every_process_is_in_sight();
    return held;
}

UnitKind unit_kind(std::string_view folder_name) {
    if (!folder_name.ends_with(".service") && !folder_name.ends_with(".socket")) return UnitKind::Any;
    // Units of systemd-run(1) and of user managers may run any program.
    if (folder_name.starts_with("run-") || folder_name.starts_with("user@")) return UnitKind::Any;
    const auto has = [&](std::string_view part) { return folder_name.find(part) != std::string_view::npos; };
    return has("ssh") || has("dropbear") ? UnitKind::Ssh : UnitKind::Other;
}

std::map<std::uint64_t, std::string> read_units() {
    std::map<std::uint64_t, std::string> units;
    for (const char* root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        if (!is_version_2(root)) continue;
        add_folders_below(root, units);
    }
    return units;
}

}  // namespace headgate::sessions
