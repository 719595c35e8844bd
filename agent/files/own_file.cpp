#include "files/own_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "files/folder_owner.h"

namespace headgate {

Result<FileDescriptor> open_own_file(const std::filesystem::path& file, int flags, mode_t mode) {
    FileDescriptor fd{::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode)};
    struct stat facts {};
    if (!fd.is_open() || ::fstat(fd.get(), &facts) != 0) return system_error(errno, file.native());
    if (!S_ISREG(facts.st_mode) || facts.st_nlink > 1) return failed("{}: no file of headgate's own", file.native());
    if ((flags & O_CREAT) != 0) FolderOwner::of(file).take_over(fd.get());
    return fd;
}

}  // namespace headgate
