// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/policy_library.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "midstream/policy_file.h"

namespace headgate::midstream {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".yaml";

/// A broken link counts as a file, so that the operator gets an error about it.
bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

fs::path file_of(const fs::path& folder, std::string_view name) {
    return folder / fmt::format("{}{}", name, kExtension);
}

/// Files whose name begins with a dot belong to editors.
bool is_policy_file(const fs::path& path) {
    return path.extension() == kExtension && !path.filename().native().starts_with('.');
}

void list_folder(const fs::path& folder, std::vector<PolicyEntry>& entries) {
    const auto seen = [&](const std::string& name) {
        return std::ranges::find(entries, name, &PolicyEntry::name) != entries.end();
    };
    std::error_code error;
    for (fs::directory_iterator file{folder, error}, end; !error && file != end; file.increment(error)) {
        const auto& path = file->path();
        auto name = path.stem().string();
        if (is_policy_file(path) && !seen(name)) entries.push_back({std::move(name), path, read_policy_file(path)});
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        entries.push_back({"", folder, system_error(error.value(), folder.native())});
    }
}

tl::unexpected<Error> unknown_policy(std::string_view name, std::span<const fs::path> folders) {
    std::vector<std::string> places;
    for (const auto& folder : folders)
        places.push_back(folder.string());
    std::vector<std::string> known;
    for (const auto& entry : list_policies(folders)) {
        if (entry.policy) known.push_back(entry.name);
    }
    return invalid("policy \"{}\" is unknown: no {}{} in {}; known: {}{}", name, name, kExtension,
                   fmt::join(places, ", "), known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")),
                   did_you_mean(name, known));
}

}  // namespace

std::vector<fs::path> policy_folders() {
    std::vector<fs::path> folders = {"/etc/headgate/policies"};
    const auto add = [&](const fs::path& folder) {
        const auto path = folder.lexically_normal();
        if (std::ranges::find(folders, path) == folders.end()) folders.push_back(path);
    };
    std::error_code error;
    const auto program = fs::read_symlink("/proc/self/exe", error);
    if (!error) {
        add(program.parent_path() / "policies");
        add(program.parent_path() / "../share/headgate/policies");
    }
    add("/usr/share/headgate/policies");
    return folders;
}

Result<StreamExceptionPolicy> find_policy(std::string_view name, std::span<const fs::path> folders) {
    if (name.find('/') != std::string_view::npos) return read_policy_file(name);
    RETURN_IF_ERROR(parse_file_name(name).map([](const std::string&) {}));
    for (const auto& folder : folders) {
        const auto file = file_of(folder, name);
        if (is_there(file)) return read_policy_file(file);
    }
    return unknown_policy(name, folders);
}

std::vector<PolicyEntry> list_policies(std::span<const fs::path> folders) {
    std::vector<PolicyEntry> entries;
    for (const auto& folder : folders)
        list_folder(folder, entries);
    std::ranges::sort(entries, {}, &PolicyEntry::name);
    return entries;
}

}  // namespace headgate::midstream
