// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/unix_listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "files/file_identity.h"
#include "files/file_lock.h"

namespace headgate::http {
namespace {

namespace fs = std::filesystem;

constexpr int kLocalBacklog = 128;
constexpr mode_t kSocketMode = 0660;
constexpr std::chrono::seconds kPatience{5};

Result<sockaddr_un> address_of(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.native().size() >= sizeof address.sun_path || path.empty()) {
        return invalid("{}: the path of a socket has 1 to {} bytes", path.native(), sizeof address.sun_path - 1);
    }
    std::memcpy(address.sun_path, path.c_str(), path.native().size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

Result<FileDescriptor> new_socket() {
    FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket.is_open()) return system_error(errno, "socket");
    return socket;
}

Result<void> make_folder(const fs::path& folder) {
    std::error_code error;
    const bool made = fs::create_directories(folder, error);
    if (error) return system_error(error.value(), folder.native());
    if (made && ::chmod(folder.c_str(), 0755) != 0) return system_error(errno, folder.native());
    return {};
}

/// Held while the socket is opened: of two processes that start at once, the second finds the first one listening. Mode
/// 0600, so that no other user can open the file and hold the lock.
Result<FileDescriptor> lock_beside(const fs::path& path) {
    const auto name = path.native() + ".lock";
    ASSIGN_OR_RETURN(auto lock, open_own_file(name, O_RDWR | O_CREAT, 0600));
    const int fault = lock_within(lock.get(), LOCK_EX, kPatience);
    if (fault == ETIMEDOUT) return failed("{}: locked by another process", name);
    if (fault != 0) return system_error(fault, name);
    return lock;
}

Result<void> remove_stale(const fs::path& path) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) {
        return errno == ENOENT ? Result<void>{} : system_error(errno, path.native());
    }
    if (!S_ISSOCK(facts.st_mode)) return system_error(EEXIST, path.native() + " is not a socket");
    const auto other = connect_to(path);
    if (other) {
        return refused("{}: headgate is already running, and listens there", path.native());
    }
    if (other.error().number != ECONNREFUSED) return tl::unexpected(other.error());
    return remove_own_file(path);
}

/// EPERM is ignored: in another user's directory, root works with that user's permissions and may not change the group.
Result<void> give_to_group(const fs::path& path) {
    const auto group = find_group(kGroup);
    if (!group) return {};
    if (::lchown(path.c_str(), static_cast<uid_t>(-1), *group) == 0) return {};
    if (errno == EPERM) return {};
    return system_error(errno, path.native());
}

Result<void> start_listening(int socket) {
    // Non-blocking: a client may disconnect before it is accepted.
    const int flags = ::fcntl(socket, F_GETFL);
    if (flags < 0 || ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0) return system_error(errno, "listen");
    if (::listen(socket, kLocalBacklog) != 0) return system_error(errno, "listen");
    return {};
}

}  // namespace

Result<UnixListener> UnixListener::open(const fs::path& path) {
    return as_owner_of(path, [&] { return make(path); });
}

Result<UnixListener> UnixListener::make(const fs::path& path) {
    ASSIGN_OR_RETURN(auto socket, new_socket());
    UnixListener listener{std::move(socket)};
    const auto folder = path.has_parent_path() ? path.parent_path() : fs::path{"."};
    RETURN_IF_ERROR(make_folder(folder));
    ASSIGN_OR_RETURN(const auto lock, lock_beside(path));
    // Mode and group are set before listen(2), so that no client connects while they are still wrong.
    RETURN_IF_ERROR(remove_stale(path).and_then([&] { return listener.bind_to(path); }).and_then([&] {
        return start_listening(listener.descriptor());
    }));
    return listener;
}

Result<UnixListener> UnixListener::adopt(FileDescriptor listening) {
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(listening.get(), SOL_SOCKET, SO_ACCEPTCONN, &value, &size) != 0) {
        return system_error(errno, "the socket that was handed over");
    }
    if (value == 0) return invalid("the socket that was handed over does not listen");
    sockaddr_un address{};
    size = sizeof address;
    if (::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        address.sun_family != AF_UNIX) {
        return invalid("the socket that was handed over is not a Unix socket");
    }
    RETURN_IF_ERROR(start_listening(listening.get()));
    return UnixListener{std::move(listening)};
}

UnixListener::~UnixListener() {
    if (!file_ || !socket_.is_open()) return;
    struct stat facts {};
    const bool ours =
        ::lstat(file_->path.c_str(), &facts) == 0 && facts.st_dev == file_->device && facts.st_ino == file_->inode;
    if (ours) static_cast<void>(remove_own_file(file_->path));
}

fs::path UnixListener::path() const {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
    return fs::path{std::string{address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path)}};
}

Result<void> UnixListener::bind_to(const fs::path& path) {
    ASSIGN_OR_RETURN(const auto address, address_of(path));
    if (::bind(socket_.get(), generic(address), sizeof address) != 0) return system_error(errno, path.native());
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) return system_error(errno, path.native());
    file_ = File{fs::absolute(path), facts.st_dev, facts.st_ino};
    if (::chmod(path.c_str(), kSocketMode) != 0) return system_error(errno, path.native());
    return give_to_group(path);
}

Result<FileDescriptor> connect_to(const fs::path& path) {
    ASSIGN_OR_RETURN(const auto address, address_of(path));
    ASSIGN_OR_RETURN(auto socket, new_socket());
    int result = 0;
    do {
        result = ::connect(socket.get(), generic(address), sizeof address);
    } while (result != 0 && errno == EINTR);
    if (result != 0) return system_error(errno, path.native());
    return socket;
}

}  // namespace headgate::http
