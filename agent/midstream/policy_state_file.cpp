// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/policy_state_file.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>

#include "base/text.h"
#include "files/file_identity.h"
#include "files/file_lock.h"
#include "netlink/network_namespace.h"

namespace headgate::midstream {

namespace {

/// More than the longest name and a fingerprint of 40 digits; padded with spaces.
constexpr std::size_t kRecordSize = 128;

/// The namespace's handle follows; versions of headgate that know no handles ignore it.
constexpr std::size_t kHandleSize = 128;

constexpr std::string_view kPrefix = "policy-";
constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

/// Accessible to its owner alone: a process that can open the file can lock it.
Result<FileDescriptor> open_record(const std::filesystem::path& file, int flags) {
    return open_own_file(file, flags, 0600);
}

/// A file_handle with room for the longest handle (open_by_handle_at(2)).
struct NamespaceHandle {
    alignas(file_handle) std::array<unsigned char, sizeof(file_handle) + MAX_HANDLE_SZ> bytes{};

    [[nodiscard]] file_handle* get() { return reinterpret_cast<file_handle*>(bytes.data()); }
    [[nodiscard]] std::span<unsigned char> value() { return std::span{bytes}.subspan(sizeof(file_handle)); }
};

/// The handle of the calling thread's namespace; empty if namespaces have none (before Linux 6.18).
std::string own_handle() {
    NamespaceHandle handle;
    handle.get()->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    if (::name_to_handle_at(AT_FDCWD, kOwnNamespace, handle.get(), &mount, AT_SYMLINK_FOLLOW) != 0) return {};
    std::string text = fmt::format("{} ", handle.get()->handle_type);
    for (const auto byte : handle.value().first(handle.get()->handle_bytes))
        text += fmt::format("{:02x}", byte);
    return text.size() < kHandleSize ? text : std::string{};
}

std::optional<NamespaceHandle> parse_handle(std::istringstream words) {
    int type = 0;
    std::string digits;
    if (!(words >> type >> digits) || digits.size() % 2 != 0 || digits.size() / 2 > MAX_HANDLE_SZ) return std::nullopt;
    NamespaceHandle handle;
    handle.get()->handle_type = type;
    handle.get()->handle_bytes = static_cast<unsigned>(digits.size() / 2);
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const auto byte = parse_unsigned<std::uint8_t>(std::string_view{digits}.substr(i, 2), 16);
        if (!byte) return std::nullopt;
        handle.value()[i / 2] = *byte;
    }
    return handle;
}

/// Without CAP_SYS_ADMIN the kernel reports every other namespace as stale, existing ones included (fs/nsfs.c,
/// nsfs_fh_to_dentry).
bool may_see_all_namespaces() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> capabilities{};
    return ::syscall(SYS_capget, &header, capabilities.data()) == 0 &&
           (capabilities[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

/// Whether the namespace certainly no longer exists, for any holder (fs/nsfs.c, nsfs_fh_to_dentry).
bool is_gone(const FileDescriptor& record) {
    std::string text(kHandleSize, '\0');
    const auto got = ::pread(record.get(), text.data(), text.size(), kRecordSize);
    if (got != static_cast<ssize_t>(text.size())) return false;
    auto handle = parse_handle(std::istringstream{text});
    const FileDescriptor beside{::open(kOwnNamespace, O_RDONLY | O_CLOEXEC)};
    if (!handle || !beside.is_open()) return false;
    const FileDescriptor found{::open_by_handle_at(beside.get(), handle->get(), O_RDONLY | O_CLOEXEC)};
    return !found.is_open() && errno == ESTALE;
}

/// A record that another process has locked is left for the next time.
void remove_stale_records(const std::filesystem::path& folder) {
    if (!may_see_all_namespaces()) return;
    std::error_code ignored;
    for (std::filesystem::directory_iterator each{folder, ignored}, end; each != end; each.increment(ignored)) {
        if (!each->path().filename().native().starts_with(kPrefix)) continue;
        const auto record = open_record(each->path(), O_RDONLY);
        if (!record || ::flock(record->get(), LOCK_EX | LOCK_NB) != 0) continue;
        if (is_gone(*record)) static_cast<void>(remove_own_file(each->path()));
    }
}

Result<void> write_padded(const FileDescriptor& fd, std::string text, std::size_t size, off_t at,
                          const std::filesystem::path& file) {
    text.resize(size - 1, ' ');
    text.push_back('\n');
    if (::pwrite(fd.get(), text.data(), text.size(), at) != static_cast<ssize_t>(text.size())) {
        return system_error(errno, file.string());
    }
    return {};
}

}  // namespace

Result<PolicyStateFile> PolicyStateFile::open(const std::filesystem::path& folder) {
    ASSIGN_OR_RETURN(const auto cookie, netlink::NetworkNamespace{}.cookie());
    return PolicyStateFile{folder / fmt::format("{}{}", kPrefix, cookie), own_handle()};
}

Result<std::optional<Applied>> PolicyStateFile::read() const {
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

FileDescriptor PolicyStateFile::share(std::chrono::seconds patience) const {
    auto fd = open_record(file_, O_RDONLY);
    if (!fd) return {};
    static_cast<void>(lock_within(fd->get(), LOCK_SH, patience));
    return std::move(*fd);
}

Result<PolicyStateFile::Lock> PolicyStateFile::lock(std::chrono::seconds patience) const {
    RETURN_IF_ERROR(make_own_folder(file_.parent_path(), 0755));
    for (;;) {
        ASSIGN_OR_RETURN(auto fd, open_record(file_, O_RDWR | O_CREAT));
        if (lock_within(fd.get(), LOCK_EX, patience) != 0) {
            return make_error(ErrorKind::Locked,
                              "another headgate has been changing the policy for {} s ({} is locked)", patience.count(),
                              file_.string());
        }
        struct stat locked {};
        if (::fstat(fd.get(), &locked) != 0) return system_error(errno, file_.string());
        if (locked.st_nlink == 0) continue;  // another process removed it during the wait
        // Allocates the file's space now: the write after the policy change must not fail.
        if (locked.st_size < static_cast<off_t>(kRecordSize + kHandleSize)) {
            auto made = locked.st_size >= static_cast<off_t>(kRecordSize) ? Result<void>{}
                                                                          : write_padded(fd, {}, kRecordSize, 0, file_);
            made = made.and_then([&] { return write_padded(fd, of_, kHandleSize, kRecordSize, file_); });
            if (!made) return tl::unexpected(std::move(made.error()));
            remove_stale_records(file_.parent_path());
        }
        return Lock{std::move(fd), file_};
    }
}

Result<void> PolicyStateFile::Lock::write(const Applied& applied) const {
    return write_padded(fd_, fmt::format("{} {}", applied.policy, applied.fingerprint), kRecordSize, 0, file_);
}

Result<void> PolicyStateFile::Lock::remove() const {
    return remove_own_file(file_);
}

}  // namespace headgate::midstream
