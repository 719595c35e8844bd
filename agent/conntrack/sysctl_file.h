// One of the kernel's numbers about a flow table, under /proc/sys/net/netfilter
// (net/netfilter/nf_conntrack_standalone.c, nf_ct_sysctl_table).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::conntrack {

/// Opened once, in the network namespace that it is about, and used from anywhere: /proc/sys/net is that of the thread
/// which opens it (net/sysctl_net.c, net_ctl_header_lookup).
class SysctlFile {
  public:
    SysctlFile() = default;

    /// To read it, in the calling thread's network namespace. ENOENT where the kernel does not have it.
    [[nodiscard]] static Result<SysctlFile> open(std::string_view name);

    [[nodiscard]] Result<std::uint64_t> read() const;

    /// Sets it in the calling thread's network namespace. EROFS and EACCES are usual in containers.
    [[nodiscard]] static Result<void> write(std::string_view name, std::uint64_t value);

  private:
    SysctlFile(FileDescriptor fd, std::string_view name) : fd_(std::move(fd)), name_(name) {}

    FileDescriptor fd_;
    std::string name_;
};

}  // namespace headgate::conntrack
