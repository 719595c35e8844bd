// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "files/file_descriptor.h"
#include "files/file_identity.h"

namespace headgate::config {
namespace {

/// Reads to the end, but one byte more than the limit at most: the size that the file reports may be wrong.
Result<std::string> read_all(const FileDescriptor& file, const std::string& name) {
    std::string text(kLargestFile + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t read = ::read(file.get(), text.data() + size, text.size() - size);
        if (read < 0 && errno == EINTR) continue;
        if (read < 0) return system_error(errno, name);
        if (read == 0) break;
        size += static_cast<std::size_t>(read);
    }
    text.resize(size);
    return text;
}

using Check = Result<void> (*)(const struct stat&, const std::string& name);

/// Checks the opened file, because the path may lead to another file a moment later.
Result<std::string> read_checked(const std::filesystem::path& path, Check check) {
    const auto& name = path.native();
    // O_NONBLOCK: opening a pipe without a writer would block.
    const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file.is_open()) return system_error(errno, name);
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return system_error(errno, name);
    RETURN_IF_ERROR(check(facts, name));
    auto text = read_all(file, name);
    if (text && text->size() > kLargestFile) return invalid("{}: larger than {} KiB", name, kLargestFile / 1024);
    return text;
}

Result<void> check_regular(const struct stat& facts, const std::string& name) {
    if (!S_ISREG(facts.st_mode)) return invalid("{}: not a regular file", name);
    return {};
}

Result<void> check_secret(const struct stat& facts, const std::string& name) {
    RETURN_IF_ERROR(check_regular(facts, name));
    if (facts.st_uid != 0 && facts.st_uid != file_user()) {
        return invalid("{}: belongs to user {}, who is neither root nor the one that reads it: chown root {}", name,
                       facts.st_uid, name);
    }
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return invalid("{}: others than its owner may use it (mode {:03o}): chmod 600 {}", name,
                       facts.st_mode & ACCESSPERMS, name);
    }
    return {};
}

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& path) {
    return read_checked(path, check_regular);
}

Result<std::string> read_secret_file(const std::filesystem::path& path) {
    return read_checked(path, check_secret);
}

}  // namespace headgate::config
