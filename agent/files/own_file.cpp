// SPDX-License-Identifier: GPL-2.0-or-later
#include "files/own_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "files/file_identity.h"

namespace headgate {

Result<FileDescriptor> open_own_file(const std::filesystem::path& file, int flags, mode_t mode) {
    return as_owner_of(file, [&]() -> Result<FileDescriptor> {
        FileDescriptor fd{::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode)};
        struct stat facts {};
        if (!fd.is_open() || ::fstat(fd.get(), &facts) != 0) return system_error(errno, file.native());
        if (!S_ISREG(facts.st_mode) || facts.st_nlink > 1)
            return failed("{}: no file of headgate's own", file.native());
        return fd;
    });
}

Result<void> make_own_folder(const std::filesystem::path& folder, mode_t mode) {
    return as_owner_of(folder, [&]() -> Result<void> {
        if (::mkdir(folder.c_str(), mode) != 0 && errno != EEXIST) return system_error(errno, folder.native());
        return {};
    });
}

Result<void> remove_own_file(const std::filesystem::path& file) {
    return as_owner_of(file, [&]() -> Result<void> {
        if (::unlink(file.c_str()) != 0 && errno != ENOENT) return system_error(errno, file.native());
        return {};
    });
}

}  // namespace headgate
