// SPDX-License-Identifier: GPL-2.0-or-later
#include "files/proc.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <system_error>

#include "base/text.h"

namespace headgate {

bool each_entry(const std::filesystem::path& folder,
                const std::function<bool(const std::filesystem::directory_entry&)>& visit) {
    std::error_code failed;
    for (std::filesystem::directory_iterator entry{folder, failed}, end; entry != end; entry.increment(failed)) {
        if (!visit(*entry)) break;
    }
    return !failed || failed == std::errc::no_such_file_or_directory || failed == std::errc::no_such_process;
}

bool each_process(const std::function<bool(pid_t)>& visit) {
    return each_entry("/proc", [&](const std::filesystem::directory_entry& entry) {
        const auto id = parse_unsigned<unsigned>(entry.path().filename().native());
        return !id || visit(static_cast<pid_t>(*id));
    });
}

std::filesystem::path folder_of_process(pid_t process) {
    return fmt::format("/proc/{}", process);
}

std::string name_of_process(pid_t process) {
    std::string name;
    std::getline(std::ifstream{folder_of_process(process) / "comm"}, name);
    return name;
}

bool each_descriptor(pid_t process, const std::function<bool(const std::filesystem::path&)>& visit) {
    return each_entry(folder_of_process(process) / "fd",
                      [&](const std::filesystem::directory_entry& entry) { return visit(entry.path()); });
}

std::optional<std::uint64_t> socket_behind(const std::filesystem::path& descriptor) {
    std::array<char, 64> target{};
    const auto length = ::readlink(descriptor.c_str(), target.data(), target.size());
    std::string_view text{target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
    constexpr std::string_view kBegin = "socket:[";
    if (!text.starts_with(kBegin) || !text.ends_with(']')) return std::nullopt;
    text.remove_prefix(kBegin.size());
    text.remove_suffix(1);
    return parse_unsigned<std::uint64_t>(text);
}

}  // namespace headgate
