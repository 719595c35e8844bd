// SPDX-License-Identifier: GPL-2.0-or-later
#include "sessions/units.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace headgate::sessions {
namespace {

bool is_version_2(const char* folder) {
    struct statfs status {};
    return ::statfs(folder, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

void add_folder(const std::filesystem::path& folder, std::map<std::uint64_t, std::string>& units) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) == 0) units.emplace(status.st_ino, folder.filename().native());
}

/// Opens each folder separately: a folder that vanishes meanwhile would end a single iterator over the whole tree.
void add_folders_below(const std::filesystem::path& root, std::map<std::uint64_t, std::string>& units) {
    std::vector<std::filesystem::path> to_read{root};
    while (!to_read.empty()) {
        const auto folder = std::move(to_read.back());
        to_read.pop_back();
        std::error_code failed;
        for (std::filesystem::directory_iterator entry{folder, failed}, end; !failed && entry != end;
             entry.increment(failed)) {
            std::error_code gone;
            if (entry->is_symlink(gone) || !entry->is_directory(gone)) continue;
            add_folder(entry->path(), units);
            to_read.push_back(entry->path());
        }
    }
}

}  // namespace

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
