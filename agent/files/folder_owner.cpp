#include "files/folder_owner.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headgate {

FolderOwner FolderOwner::of(const std::filesystem::path& file) {
    FolderOwner owner;
    struct stat folder {};
    const auto name = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
    if (::geteuid() == 0 && ::stat(name.c_str(), &folder) == 0 && folder.st_uid != 0) {
        owner.other_ = Ids{folder.st_uid, folder.st_gid};
    }
    return owner;
}

int FolderOwner::open_flags() const noexcept {
    return other_ ? O_NOFOLLOW : 0;
}

void FolderOwner::take_over(int file) const noexcept {
    struct stat facts {};
    if (!other_ || ::fstat(file, &facts) != 0) return;
    const bool just_made = facts.st_uid == 0 && facts.st_size == 0 && facts.st_nlink == 1 && S_ISREG(facts.st_mode);
    // Where this fails, whoever cannot open the file says so.
    if (just_made && ::fchown(file, other_->user, other_->group) != 0) return;
}

}  // namespace headgate
