// SPDX-License-Identifier: GPL-2.0-or-later
// A numeric sysctl of a flow table, under /proc/sys/net/netfilter (net/netfilter/nf_conntrack_standalone.c,
// nf_ct_sysctl_table).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::conntrack {

/// Opened once, in its network namespace, and usable from any thread: /proc/sys/net is that of the thread that opens
/// the file (net/sysctl_net.c, net_ctl_header_lookup).
class SysctlFile {
  public:
    SysctlFile() = default;

    /// Opens it for reading in the calling thread's network namespace. ENOENT if the kernel does not have it.
    [[nodiscard]] static Result<SysctlFile> open(std::string_view name);

    [[nodiscard]] Result<std::uint64_t> read() const;

    /// Writes it in the calling thread's network namespace. EROFS and EACCES are common in containers.
    [[nodiscard]] static Result<void> write(std::string_view name, std::uint64_t value);

  private:
    SysctlFile(FileDescriptor fd, std::string_view name) : fd_(std::move(fd)), name_(name) {}

    FileDescriptor fd_;
    std::string name_;
};

}  // namespace headgate::conntrack
