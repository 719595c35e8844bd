// SPDX-License-Identifier: GPL-2.0-or-later
// A network namespace, and running code inside it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::netlink {

/// How the kernel identifies network namespaces: two files with equal numbers are the same namespace, whatever their
/// names (ioctl_nsfs(2), namespaces(7)).
struct NamespaceId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;  ///< may be reused when this namespace is gone

    friend bool operator==(const NamespaceId&, const NamespaceId&) = default;
};

/// The location of a flow table. Sockets and /proc/sys files opened inside stay there, whichever thread uses them.
class NetworkNamespace {
  public:
    /// The network namespace of this process.
    NetworkNamespace() = default;

    /// Opens a name under /run/netns, as `ip netns` creates it, or a path with a slash, such as /proc/PID/ns/net.
    [[nodiscard]] static Result<NetworkNamespace> open(std::string_view name_or_path);

    /// Runs `action`, which returns a Result, inside and waits for it. A separate thread enters the namespace, so that
    /// no existing thread ever changes its own. Needs CAP_SYS_ADMIN for a namespace other than the process's.
    template <typename Action>
    [[nodiscard]] auto run(const Action& action) const -> std::invoke_result_t<Action> {
        std::optional<std::invoke_result_t<Action>> result;
        RETURN_IF_ERROR(enter([&] { result.emplace(action()); }));
        return std::move(*result);
    }

    /// A number that no other namespace gets before the next boot, not even a later one of the same name
    /// (SO_NETNS_COOKIE, Linux 5.14; net/core/net_namespace.c, net_alloc_ns_cookie).
    [[nodiscard]] Result<std::uint64_t> cookie() const;

    /// The identity of /proc/PID/ns/net of the processes inside.
    [[nodiscard]] Result<NamespaceId> id() const;

  private:
    [[nodiscard]] Result<void> enter(const std::function<void()>& action) const;

    FileDescriptor fd_;
    std::string name_;
};

}  // namespace headgate::netlink
