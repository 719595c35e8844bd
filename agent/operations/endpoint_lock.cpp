// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/endpoint_lock.h"

#include <Poco/SHA1Engine.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "files/file_identity.h"

namespace headgate::operations {
namespace {

/// Hashed, since the three names together may exceed the length of a file name, and contain any character.
std::filesystem::path lock_file(const std::filesystem::path& state_dir, const Endpoint& endpoint) {
    Poco::SHA1Engine digest;
    for (const auto& name : {endpoint.firewall, endpoint.availability_zone, endpoint.network_namespace})
        digest.update(name.c_str(), name.size() + 1);
    return state_dir / ("endpoint-" + Poco::DigestEngine::digestToHex(digest.digest()) + ".lock");
}

/// Between two attempts; a capture takes milliseconds at least.
constexpr std::chrono::milliseconds kBetweenTries{2};

/// A free endpoint is acquired by the next holder within kBetweenTries, if that process gets CPU time.
constexpr std::chrono::seconds kStuckAfter{1};

/// The file's content: `ID TYPE`, or from an earlier version of headgate the id alone.
std::string holder_in(const FileDescriptor& file) {
    std::array<char, 64> text{};
    const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
}

/// An empty text means that the holder is just starting or ending. A type may be that of a later version of headgate.
bool may_be_waited_for(std::string_view holder) {
    const auto type = parse_name<OperationType>(holder.substr(holder.find(' ') + 1));
    return holder.empty() || (type && kind_of(*type).gives_way);
}

tl::unexpected<Error> another_runs(const Endpoint& endpoint, std::string_view holder) {
    const auto who = holder.substr(0, holder.find(' '));
    return busy("busy: {} is running on firewall {} in {}, and there is one operation at a time",
                who.empty() ? "another operation" : fmt::format("operation {}", who), endpoint.firewall,
                endpoint.availability_zone);
}

tl::unexpected<Error> another_is_next(const Endpoint& endpoint) {
    return busy("busy: a flush is waiting for firewall {} in {}, and comes first", endpoint.firewall,
                endpoint.availability_zone);
}

struct flock whole_file(short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

bool has_next(const FileDescriptor& file) {
    auto asked = whole_file(F_RDLCK);
    return ::fcntl(file.get(), F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK;
}

/// Whether the next holder does not acquire a free endpoint, because its process was stopped (SIGSTOP): others would
/// wait for it forever.
bool is_stuck(const FileDescriptor& file) {
    for (const auto end = std::chrono::steady_clock::now() + kStuckAfter; std::chrono::steady_clock::now() < end;) {
        if (!has_next(file)) return true;
        if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
        ::flock(file.get(), LOCK_UN);
        std::this_thread::sleep_for(10 * kBetweenTries);
    }
    return true;
}

/// The place of the next holder, for the lifetime of the object.
class Next {
  public:
    explicit Next(const FileDescriptor& file) : file_(file) {}
    Next(const Next&) = delete;
    Next& operator=(const Next&) = delete;
    ~Next() {
        auto lock = whole_file(F_UNLCK);
        ::fcntl(file_.get(), F_OFD_SETLK, &lock);
    }

    /// On a file opened read-only the lock fails with EBADF, which is ignored: only captures and dry runs get there.
    [[nodiscard]] bool become() const {
        auto lock = whole_file(F_WRLCK);
        return ::fcntl(file_.get(), F_OFD_SETLK, &lock) == 0 || errno == EBADF;
    }

  private:
    const FileDescriptor& file_;
};

Result<FileDescriptor> open_lock_file(const std::filesystem::path& state_dir, const std::filesystem::path& path) {
    // Never removed: a process that has it open would hold a lock on a file that others cannot find.
    const auto open = [&path] { return open_own_file(path, O_RDWR | O_CREAT, 0640); };
    auto file = open();
    // The store would have created the directory; the reason why it could not is reported.
    if (!file && file.error().number == ENOENT) file = make_own_folder(state_dir, 0750).and_then(open);
    if (!file && file.error().number == EROFS) {
        if (auto there = open_own_file(path, O_RDONLY, 0)) file = std::move(there);
    }
    return file;
}

/// Returns whether the lock was free.
Result<bool> try_lock(const FileDescriptor& file, const std::filesystem::path& path, const FlowOperation& operation) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return false;
        return system_error(errno, path.native());
    }
    // Failure is ignored: the lock works without the holder's name, only messages lack it.
    const auto holder = fmt::format("{} {}", operation.id, to_string(operation.type));
    if (::ftruncate(file.get(), 0) == 0) static_cast<void>(::pwrite(file.get(), holder.data(), holder.size(), 0));
    return true;
}

Result<void> wait_and_lock(const FileDescriptor& file, const std::filesystem::path& path,
                           const FlowOperation& operation, const std::function<bool()>& is_worth_it) {
    const Next next{file};
    if (!next.become() && !is_stuck(file)) return another_is_next(operation.endpoint);
    for (;;) {
        ASSIGN_OR_RETURN(const auto locked, try_lock(file, path, operation));
        if (locked) return {};
        const auto holder = holder_in(file);
        if (!may_be_waited_for(holder) || !is_worth_it()) return another_runs(operation.endpoint, holder);
        std::this_thread::sleep_for(kBetweenTries);
    }
}

}  // namespace

EndpointLock::~EndpointLock() {
    // Cleared, so that the next holder is not taken for this one.
    if (file_.is_open()) static_cast<void>(::ftruncate(file_.get(), 0));
}

Result<EndpointLock> EndpointLock::acquire(const std::filesystem::path& state_dir, const FlowOperation& operation) {
    const auto path = lock_file(state_dir, operation.endpoint);
    ASSIGN_OR_RETURN(auto file, open_lock_file(state_dir, path));
    if (has_next(file) && !is_stuck(file)) return another_is_next(operation.endpoint);
    ASSIGN_OR_RETURN(const auto locked, try_lock(file, path, operation));
    if (!locked) return another_runs(operation.endpoint, holder_in(file));
    return EndpointLock{std::move(file)};
}

Result<EndpointLock> EndpointLock::acquire_next(const std::filesystem::path& state_dir, const FlowOperation& operation,
                                                std::chrono::milliseconds patience,
                                                const std::function<bool()>& goes_on) {
    const auto path = lock_file(state_dir, operation.endpoint);
    ASSIGN_OR_RETURN(auto file, open_lock_file(state_dir, path));
    const auto until = std::chrono::steady_clock::now() + patience;
    const auto is_worth_it = [&] { return std::chrono::steady_clock::now() < until && goes_on(); };
    RETURN_IF_ERROR(wait_and_lock(file, path, operation, is_worth_it));
    return EndpointLock{std::move(file)};
}

bool EndpointLock::is_waited_for() const {
    return has_next(file_);
}

}  // namespace headgate::operations
