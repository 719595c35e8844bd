#include "midstream/applied_record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <fstream>

namespace headgate::midstream {

Result<AppliedRecord> AppliedRecord::open(const std::filesystem::path& folder) {
    const FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (!socket.is_open() || ::getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) {
        return system_error(errno, "asking for the network namespace's cookie");
    }
    return AppliedRecord{folder / fmt::format("policy-{}", cookie)};
}

Result<std::optional<Applied>> AppliedRecord::read() const {
    std::ifstream file{file_};
    if (!file) {
        if (errno == ENOENT) return std::nullopt;
        return system_error(errno, file_.string());
    }
    Applied applied;
    file >> applied.policy >> applied.fingerprint;
    return applied.policy.empty() ? std::nullopt : std::optional{std::move(applied)};
}

Result<AppliedRecord::Lock> AppliedRecord::lock() const {
    std::error_code error;
    std::filesystem::create_directories(file_.parent_path(), error);
    if (error) return system_error(error.value(), file_.parent_path().string());
    for (;;) {
        FileDescriptor fd{::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)};
        if (!fd.is_open()) return system_error(errno, file_.string());
        while (::flock(fd.get(), LOCK_EX) != 0) {
            if (errno != EINTR) return system_error(errno, file_.string());
        }
        struct stat locked {};
        if (::fstat(fd.get(), &locked) != 0) return system_error(errno, file_.string());
        if (locked.st_nlink != 0) return Lock{std::move(fd), file_};  // else it was removed while we waited
    }
}

Result<void> AppliedRecord::Lock::write(const Applied& applied) const {
    const auto text = fmt::format("{} {}\n", applied.policy, applied.fingerprint);
    if (::ftruncate(fd_.get(), 0) != 0 || ::pwrite(fd_.get(), text.data(), text.size(), 0) < 0) {
        return system_error(errno, file_.string());
    }
    return {};
}

Result<void> AppliedRecord::Lock::remove() const {
    std::error_code error;
    std::filesystem::remove(file_, error);
    if (error) return system_error(error.value(), file_.string());
    return {};
}

}  // namespace headgate::midstream
