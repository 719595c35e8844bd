// A network namespace, and how to do something inside it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::netlink {

/// What the kernel tells network namespaces apart by: two files with these numbers are the same one, whatever their
/// names (ioctl_nsfs(2), namespaces(7)).
struct NamespaceId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;  ///< may be another namespace's when this one is gone

    friend bool operator==(const NamespaceId&, const NamespaceId&) = default;
};

/// Where a flow table is. Sockets and /proc/sys files that are opened inside stay there, whoever uses them afterwards.
class NetworkNamespace {
  public:
    /// The one this process is in.
    NetworkNamespace() = default;

    /// A name under /run/netns, as `ip netns` makes them, or a path with a slash in it, such as /proc/PID/ns/net.
    [[nodiscard]] static Result<NetworkNamespace> open(std::string_view name_or_path);

    /// Runs `action` inside and waits for it. A thread of its own enters the namespace, so that no other one ever
    /// finds itself in a place it did not ask for. Needs CAP_SYS_ADMIN for a namespace other than the process's.
    [[nodiscard]] Result<void> run(const std::function<Result<void>()>& action) const;

    /// A number that no other namespace gets before the next boot, not even one that later has the same name
    /// (SO_NETNS_COOKIE, Linux 5.14; net/core/net_namespace.c, net_alloc_ns_cookie).
    [[nodiscard]] Result<std::uint64_t> cookie() const;

    /// What /proc/PID/ns/net of the processes inside leads to.
    [[nodiscard]] Result<NamespaceId> id() const;

  private:
    FileDescriptor fd_;
    std::string name_;
};

}  // namespace headgate::netlink
