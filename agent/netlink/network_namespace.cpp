#include "netlink/network_namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <thread>

namespace headgate::netlink {

Result<NetworkNamespace> NetworkNamespace::open(std::string_view name_or_path) {
    if (name_or_path.empty()) return invalid("the name of a network namespace is empty");
    if (name_or_path == "." || name_or_path == "..") return invalid("\"{}\" is not a network namespace", name_or_path);
    const bool is_path = name_or_path.find('/') != std::string_view::npos;
    NetworkNamespace result;
    result.name_ = name_or_path;
    const std::string path = is_path ? std::string{name_or_path} : fmt::format("/run/netns/{}", name_or_path);
    // O_NONBLOCK: a path may turn out to be a pipe, whose opening would wait for a writer.
    result.fd_ = FileDescriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!result.fd_.is_open()) return system_error(errno, fmt::format("network namespace {}", path));
    if (::ioctl(result.fd_.get(), NS_GET_NSTYPE) != CLONE_NEWNET) return failed("{} is not a network namespace", path);
    return result;
}

Result<void> NetworkNamespace::run(const std::function<Result<void>()>& action) const {
    if (!fd_.is_open()) return action();
    Result<void> result;
    std::thread{[&] {
        if (::setns(fd_.get(), CLONE_NEWNET) != 0) {
            result = system_error(errno, fmt::format("entering network namespace {} (needs CAP_SYS_ADMIN)", name_));
            return;
        }
        result = action();
    }}.join();
    return result;
}

}  // namespace headgate::netlink
