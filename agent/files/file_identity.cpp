// SPDX-License-Identifier: GPL-2.0-or-later
#include "files/file_identity.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <deque>
#include <fstream>

#include "files/file_descriptor.h"

namespace headgate {
namespace {

using CapabilityBits = std::array<std::uint32_t, _LINUX_CAPABILITY_U32S_3>;

constexpr unsigned kMostLinks = 40;  // path_resolution(7)

/// setfsuid(2) and setfsgid(2) always return the previous value; this invalid ID changes nothing.
constexpr auto kNoId = static_cast<uid_t>(-1);

gid_t file_group() {
    return static_cast<gid_t>(::setfsgid(kNoId));
}

std::vector<gid_t> supplementary_groups() {
    std::array<gid_t, NGROUPS_MAX> groups;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    return {groups.begin(), groups.begin() + std::max(count, 0)};
}

/// For this thread only: the C library's setgroups(3) changes all threads (nptl(7)).
bool set_supplementary_groups(const std::vector<gid_t>& groups) {
#ifdef SYS_setgroups32
    return ::syscall(SYS_setgroups32, groups.size(), groups.data()) == 0;
#else
    return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
#endif
}

/// Capabilities of this thread. setfsuid(2) drops only the file capabilities, but others give access to files as well:
/// CAP_SYS_PTRACE to those that any process has open (proc(5), "/proc/pid/fd").
class Capabilities {
  public:
    [[nodiscard]] static std::optional<Capabilities> read() {
        Capabilities found;
        if (::syscall(SYS_capget, &found.header_, found.sets_.data()) != 0) return std::nullopt;
        return found;
    }

    [[nodiscard]] Capabilities with_effect(const CapabilityBits& bits) const {
        auto changed = *this;
        for (std::size_t i = 0; i < bits.size(); ++i)
            changed.sets_[i].effective = bits[i];
        return changed;
    }

    /// The permitted set is unchanged, so the effective one can be restored.
    [[nodiscard]] bool set() { return ::syscall(SYS_capset, &header_, sets_.data()) == 0; }

    [[nodiscard]] CapabilityBits effective() const { return {sets_[0].effective, sets_[1].effective}; }

  private:
    __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets_{};
};

/// In a user namespace, files of unmapped users appear with this owner, as whom no process in it can act
/// (user_namespaces(7)).
bool is_out_of_reach(uid_t user) {
    constexpr uid_t kOverflowUser = 65534;
    if (user != kOverflowUser) return false;
    std::uint64_t first = 0;
    std::uint64_t outside = 0;
    std::uint64_t count = 0;
    std::ifstream{"/proc/self/uid_map"} >> first >> outside >> count;
    return first != 0 || count <= kOverflowUser;
}

bool is_others(uid_t user) {
    return user != 0 && !is_out_of_reach(user);
}

}  // namespace

/// Resolves the path as the kernel does, and stops at the first component that another user owns.
class PathWalk {
  public:
    explicit PathWalk(const std::filesystem::path& path) { add(path); }

    [[nodiscard]] std::optional<FileIdentity::Other> find_other() {
        while (folder_.is_open()) {
            struct stat facts {};
            if (::fstat(folder_.get(), &facts) != 0) break;
            if (is_others(facts.st_uid)) return FileIdentity::Other{facts.st_uid, facts.st_gid, way_.native()};
            if (left_.empty()) break;
            const auto name = left_.front();
            left_.pop_front();
            if (::fstatat(folder_.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) break;
            if (S_ISLNK(facts.st_mode)) {
                if (is_others(facts.st_uid))
                    return FileIdentity::Other{facts.st_uid, facts.st_gid, (way_ / name).native()};
                if (!follow(name)) break;
            } else {
                enter(name);
            }
        }
        return std::nullopt;
    }

  private:
    /// Inserts a path before the remaining components.
    void add(const std::filesystem::path& path) {
        if (path.is_absolute() || !folder_.is_open()) {
            way_ = path.is_absolute() ? "/" : ".";
            folder_ = FileDescriptor{::open(way_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
        }
        const auto relative = path.relative_path();
        left_.insert(left_.begin(), relative.begin(), relative.end());
        std::erase(left_, std::filesystem::path{});
    }

    [[nodiscard]] bool follow(const std::filesystem::path& link) {
        std::array<char, PATH_MAX> target;  // NOLINT(cppcoreguidelines-pro-type-member-init)
        const auto size = ::readlinkat(folder_.get(), link.c_str(), target.data(), target.size());
        if (size < 0 || ++links_ > kMostLinks) return false;
        add(std::string{target.data(), static_cast<std::size_t>(size)});
        return true;
    }

    /// A component that is not a directory ends the walk.
    void enter(const std::filesystem::path& name) {
        way_ /= name;
        folder_ = FileDescriptor{::openat(folder_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    }

    FileDescriptor folder_;
    std::filesystem::path way_;  ///< path of `folder_`
    std::deque<std::filesystem::path> left_;
    unsigned links_ = 0;
};

/// Only root acts as others. The filter of the agent's service does not permit setfsuid(2), which then returns no user.
uid_t file_user() {
    const auto user = ::geteuid();
    return user == 0 ? static_cast<uid_t>(::setfsuid(kNoId)) : user;
}

FileIdentity FileIdentity::of(const std::filesystem::path& path) {
    FileIdentity identity;
    if (::geteuid() == 0) identity.other_ = PathWalk{path}.find_other();
    return identity;
}

std::string FileIdentity::description() const {
    return other_ ? fmt::format(" (as user {}, who owns {})", other_->user, other_->where) : std::string{};
}

FileIdentity::Assumed::Assumed(const Other& other)
    : user_(file_user()), group_(file_group()), groups_(supplementary_groups()) {
    auto capabilities = Capabilities::read();
    if (!capabilities) return;
    effective_ = capabilities->effective();
    // Nested use: no capability is left to change the user with, and none is needed.
    const bool is_nested = user_ == other.user && group_ == other.group && groups_.empty();
    bool is_done = is_nested || set_supplementary_groups({});
    ::setfsgid(other.group);
    ::setfsuid(other.user);
    is_done = capabilities->with_effect({}).set() && is_done;
    is_complete_ = is_done && file_user() == other.user && file_group() == other.group;
}

FileIdentity::Assumed::~Assumed() {
    auto capabilities = Capabilities::read();
    if (capabilities) static_cast<void>(capabilities->with_effect(effective_).set());
    ::setfsuid(user_);
    ::setfsgid(group_);
    if (!groups_.empty()) set_supplementary_groups(groups_);
}

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
