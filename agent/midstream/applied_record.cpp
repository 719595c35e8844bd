#include "midstream/applied_record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <sstream>
#include <string>
#include <thread>

#include "files/folder_owner.h"
#include "netlink/network_namespace.h"

namespace headgate::midstream {

namespace {

/// More than the longest name and a fingerprint of 40 digits; what is left is spaces.
constexpr std::size_t kRecordSize = 128;

/// The folder is the agent's, the one who opens may be root: neither a link nor a pipe that somebody has put there
/// leads it astray or keeps it waiting.
Result<FileDescriptor> open_record(const std::filesystem::path& file, int flags) {
    FileDescriptor fd{::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)};
    struct stat facts {};
    if (!fd.is_open() || ::fstat(fd.get(), &facts) != 0) return system_error(errno, file.string());
    if (!S_ISREG(facts.st_mode) || facts.st_nlink > 1) return failed("{}: no record of headgate's", file.string());
    return fd;
}

bool wait_for(const FileDescriptor& fd, int kind) {
    const auto end = std::chrono::steady_clock::now() + AppliedRecord::kPatience;
    while (::flock(fd.get(), kind | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return false;
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return true;
}

Result<void> write_padded(const FileDescriptor& fd, std::string text, const std::filesystem::path& file) {
    text.resize(kRecordSize - 1, ' ');
    text.push_back('\n');
    if (::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
        return system_error(errno, file.string());
    }
    return {};
}

}  // namespace

Result<AppliedRecord> AppliedRecord::open(const std::filesystem::path& folder) {
    const auto cookie = netlink::NetworkNamespace{}.cookie();
    if (!cookie) return tl::unexpected(cookie.error());
    return AppliedRecord{folder / fmt::format("policy-{}", *cookie)};
}

Result<std::optional<Applied>> AppliedRecord::read() const {
    const auto file = open_record(file_, O_RDONLY);
    if (!file) {
        if (file.error().number == ENOENT || file.error().number == EACCES) return std::nullopt;
        return tl::unexpected(file.error());
    }
    std::string text(kRecordSize, '\0');
    const auto got = ::pread(file->get(), text.data(), text.size(), 0);
    if (got < 0) return system_error(errno, file_.string());
    text.resize(static_cast<std::size_t>(got));
    std::istringstream words{text};
    Applied applied;
    words >> applied.policy >> applied.fingerprint;
    return applied.policy.empty() ? std::nullopt : std::optional{std::move(applied)};
}

FileDescriptor AppliedRecord::share() const {
    auto fd = open_record(file_, O_RDONLY);
    if (!fd) return {};
    static_cast<void>(wait_for(*fd, LOCK_SH));
    return std::move(*fd);
}

Result<AppliedRecord::Lock> AppliedRecord::lock() const {
    std::error_code error;
    std::filesystem::create_directories(file_.parent_path(), error);
    if (error) return system_error(error.value(), file_.parent_path().string());
    for (;;) {
        // For its owner alone: who can open it can hold it.
        auto fd = open_record(file_, O_RDWR | O_CREAT);
        if (!fd) return tl::unexpected(fd.error());
        FolderOwner::of(file_).take_over(fd->get());
        if (!wait_for(*fd, LOCK_EX)) {
            return failed("another headgate has been changing the policy for {} s ({} is locked)", kPatience.count(),
                          file_.string());
        }
        struct stat locked {};
        if (::fstat(fd->get(), &locked) != 0) return system_error(errno, file_.string());
        if (locked.st_nlink == 0) continue;  // it was removed while we waited
        // Room for what will be written when it is too late to fail.
        if (locked.st_size < static_cast<off_t>(kRecordSize)) {
            if (auto made = write_padded(*fd, {}, file_); !made) return tl::unexpected(std::move(made.error()));
        }
        return Lock{std::move(*fd), file_};
    }
}

Result<void> AppliedRecord::Lock::write(const Applied& applied) const {
    return write_padded(fd_, fmt::format("{} {}", applied.policy, applied.fingerprint), file_);
}

Result<void> AppliedRecord::Lock::remove() const {
    std::error_code error;
    std::filesystem::remove(file_, error);
    if (error) return system_error(error.value(), file_.string());
    return {};
}

}  // namespace headgate::midstream
