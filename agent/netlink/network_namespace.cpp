// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/network_namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/text.h"
#include "threads/start_thread.h"

namespace headgate::netlink {
namespace {

constexpr const char* kNamed = "/run/netns";

std::string similar_name(std::string_view name) {
    std::vector<std::string> names;
    std::error_code none;
    for (std::filesystem::directory_iterator each{kNamed, none}, end; !none && each != end; each.increment(none))
        names.push_back(each->path().filename());
    return did_you_mean(name, names);
}

}  // namespace

Result<NetworkNamespace> NetworkNamespace::open(std::string_view name_or_path) {
    if (name_or_path.empty()) return invalid("the name of a network namespace is empty");
    if (name_or_path == "." || name_or_path == "..") return invalid("\"{}\" is not a network namespace", name_or_path);
    const bool is_path = name_or_path.find('/') != std::string_view::npos;
    NetworkNamespace result;
    result.name_ = name_or_path;
    const std::string path = is_path ? std::string{name_or_path} : fmt::format("{}/{}", kNamed, name_or_path);
    // O_NONBLOCK: opening a FIFO would otherwise wait for a writer.
    result.fd_ = FileDescriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!result.fd_.is_open()) {
        auto fault = system_error(errno, fmt::format("network namespace {}", path));
        if (!is_path) fault.value().message += similar_name(name_or_path);
        return fault;
    }
    if (::ioctl(result.fd_.get(), NS_GET_NSTYPE) != CLONE_NEWNET) return failed("{} is not a network namespace", path);
    return result;
}

Result<void> NetworkNamespace::enter(const std::function<void()>& action) const {
    if (!fd_.is_open()) {
        action();
        return {};
    }
    Result<void> entered;
    const auto inside = [&] {
        if (::setns(fd_.get(), CLONE_NEWNET) == 0) return action();
        const int fault = errno;
        const auto* const remedy =
            fault == EPERM ? " (use sudo; for the agent, the drop-in network-namespaces has CAP_SYS_ADMIN)" : "";
        entered = system_error(fault, fmt::format("entering network namespace {}{}", name_, remedy));
    };
    ASSIGN_OR_RETURN(auto thread, start_thread(fmt::format("network namespace {}", name_), inside,
                                               [&](Error fault) { entered = tl::unexpected(std::move(fault)); }));
    thread.join();
    return entered;
}

Result<std::uint64_t> NetworkNamespace::cookie() const {
    return run([]() -> Result<std::uint64_t> {
        std::uint64_t cookie = 0;
        const FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        socklen_t size = sizeof cookie;
        if (socket.is_open() && ::getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0)
            return cookie;
        return system_error(errno, "asking for the network namespace's cookie");
    });
}

Result<NamespaceId> NetworkNamespace::id() const {
    struct stat found {};
    const int status = fd_.is_open() ? ::fstat(fd_.get(), &found) : ::stat("/proc/self/ns/net", &found);
    if (status != 0) return system_error(errno, "the network namespace's inode");
    return NamespaceId{found.st_dev, found.st_ino};
}

}  // namespace headgate::netlink
