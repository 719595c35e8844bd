// SPDX-License-Identifier: GPL-2.0-or-later
#include "sessions/processes.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"
#include "files/proc.h"

namespace headgate::sessions {
namespace {

constexpr int kMostAncestors = 64;

/// Limit on descriptors of other processes that are examined; takes some tenths of a second.
constexpr std::size_t kMostDescriptors = 100'000;

/// Inode of the initial pid namespace, which shows every process (include/uapi/linux/nsfs.h, PID_NS_INIT_INO).
constexpr ino_t kFirstPidNamespace = 0xEFFFFFFC;

std::set<std::uint64_t> sockets_of(pid_t process) {
    std::set<std::uint64_t> sockets;
    each_descriptor(process, [&](const std::filesystem::path& descriptor) {
        if (const auto socket = socket_behind(descriptor)) sockets.insert(*socket);
        return true;
    });
    return sockets;
}

/// Sockets may also be held by processes of other pid namespaces, and by hidden ones (proc(5), hidepid), in which case
/// process 1 is hidden, too.
bool every_process_is_in_sight() {
    struct stat own {};
    return ::stat("/proc/self/ns/pid", &own) == 0 && own.st_ino == kFirstPidNamespace && !name_of_process(1).empty();
}

std::optional<pid_t> parent_of(pid_t process) {
    // proc(5), stat: the parent follows the command, which is in parentheses and may contain any character.
    std::ifstream file{folder_of_process(process) / "stat"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto after_command = text.rfind(") ");
    if (after_command == std::string::npos || text.size() < after_command + 5) return std::nullopt;
    std::string_view rest = std::string_view{text}.substr(after_command + 4);
    const auto parent = parse_unsigned<unsigned>(take_until(rest, ' '));
    return parent ? std::optional{static_cast<pid_t>(*parent)} : std::nullopt;
}

std::optional<std::string> ssh_connection_of(pid_t process) {
    constexpr std::string_view kVariable = "SSH_CONNECTION=";
    std::ifstream file{folder_of_process(process) / "environ", std::ios::binary};
    for (std::string variable; std::getline(file, variable, '\0');) {
        if (variable.starts_with(kVariable)) return variable.substr(kVariable.size());
    }
    return std::nullopt;
}

Ancestor read_ancestor(pid_t process) {
    Ancestor ancestor{name_of_process(process), ssh_connection_of(process), {}};
    if (serves_ssh(ancestor.name)) ancestor.sockets = sockets_of(process);
    return ancestor;
}

bool is_version_2(const char* folder) {
    struct statfs status {};
    return ::statfs(folder, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

/// Opens each folder separately: a folder that vanishes meanwhile would end a single iterator over the whole tree.
void add_folders_below(const std::filesystem::path& root, std::map<std::uint64_t, std::string>& units) {
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
        ancestors.push_back(read_ancestor(*process));
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
    each_process([&](pid_t process) {
        if (!serves_ssh(name_of_process(process))) return true;
        if (auto sockets = sockets_of(process); !sockets.empty()) servers.push_back(std::move(sockets));
        return true;
    });
    return servers;
}

HeldSockets find_held(const std::set<std::uint64_t>& sockets) {
    HeldSockets held;
    std::size_t looked_at = 0;
    const auto look = [&](const std::filesystem::path& descriptor) {
        const auto socket = socket_behind(descriptor);
        if (socket && sockets.contains(*socket)) held.inodes.insert(*socket);
        return ++looked_at < kMostDescriptors && held.inodes.size() < sockets.size();
    };
    bool is_readable = true;
    const bool is_listed = each_process([&](pid_t process) {
        is_readable = each_descriptor(process, look) && is_readable;
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
