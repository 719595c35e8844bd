#include "sessions/units.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <filesystem>
#include <system_error>

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

}  // namespace

UnitKind unit_kind(std::string_view folder_name) {
    if (!folder_name.ends_with(".service") && !folder_name.ends_with(".socket")) return UnitKind::Any;
    // systemd-run(1) and user managers run whatever they are told.
    if (folder_name.starts_with("run-") || folder_name.starts_with("user@")) return UnitKind::Any;
    const auto has = [&](std::string_view part) { return folder_name.find(part) != std::string_view::npos; };
    return has("ssh") || has("dropbear") ? UnitKind::Ssh : UnitKind::Other;
}

std::map<std::uint64_t, std::string> read_units() {
    std::map<std::uint64_t, std::string> units;
    for (const char* root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        if (!is_version_2(root)) continue;
        std::error_code failed;
        namespace fs = std::filesystem;
        for (fs::recursive_directory_iterator entry{root, fs::directory_options::skip_permission_denied, failed}, end;
             entry != end; entry.increment(failed)) {
            std::error_code gone;
            if (entry->is_directory(gone)) add_folder(entry->path(), units);
        }
    }
    return units;
}

}  // namespace headgate::sessions
