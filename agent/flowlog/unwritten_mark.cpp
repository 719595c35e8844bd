// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/unwritten_mark.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "files/file_identity.h"

namespace headgate::flowlog {
namespace {

constexpr std::string_view kMarkPrefix = "unwritten-records.";

/// Its previous holder may have removed the file between open(2) and flock(2).
bool is_removed(const FileDescriptor& file) {
    struct stat about {};
    return ::fstat(file.get(), &about) == 0 && about.st_nlink == 0;
}

}  // namespace

Result<std::shared_ptr<const UnwrittenMark>> UnwrittenMark::make(const std::filesystem::path& state_dir,
                                                                 std::string_view operation_id) {
    return open(state_dir, operation_id, O_CREAT);
}

Result<std::shared_ptr<const UnwrittenMark>> UnwrittenMark::adopt(const std::filesystem::path& state_dir,
                                                                  std::string_view operation_id) {
    return open(state_dir, operation_id, 0);
}

Result<std::shared_ptr<const UnwrittenMark>> UnwrittenMark::open(const std::filesystem::path& state_dir,
                                                                 std::string_view operation_id, int flags) {
    const auto path = state_dir / fmt::format("{}{}", kMarkPrefix, operation_id);
    for (;;) {
        ASSIGN_OR_RETURN(auto file, open_own_file(path, O_RDWR | flags, 0640));
        if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
            return system_error(errno == EWOULDBLOCK ? EBUSY : errno, path.native());
        }
        if (!is_removed(file)) return std::shared_ptr<const UnwrittenMark>{new UnwrittenMark{path, std::move(file)}};
    }
}

UnwrittenMark::~UnwrittenMark() {
    if (!is_left_) static_cast<void>(remove_own_file(path_));
}

std::vector<std::string> UnwrittenMark::all(const std::filesystem::path& state_dir) {
    std::vector<std::string> operations;
    std::error_code ignored;
    for (const auto& each : std::filesystem::directory_iterator{state_dir, ignored}) {
        const auto name = each.path().filename().native();
        if (name.starts_with(kMarkPrefix)) operations.push_back(name.substr(kMarkPrefix.size()));
    }
    return operations;
}

}  // namespace headgate::flowlog
