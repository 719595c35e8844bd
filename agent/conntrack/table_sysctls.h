// The numbers that the kernel publishes about a flow table.
#pragma once

#include <cstdint>

#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "conntrack/sysctl_file.h"

namespace headgate::conntrack {

/// Files opened once, in the network namespace that they are about, and read from anywhere.
class TableSysctls {
  public:
    /// In the calling thread's network namespace. Fails where the kernel has no conntrack loaded.
    [[nodiscard]] static Result<TableSysctls> open();

    [[nodiscard]] Result<TableUsage> usage() const;

    /// Cheap enough to be asked many times during a dump.
    [[nodiscard]] Result<std::uint64_t> buckets() const;

    [[nodiscard]] Result<bool> tcp_loose() const;

  private:
    SysctlFile count_, maximum_, buckets_, tcp_loose_;
};

/// What there is to say where one of them is missing.
[[nodiscard]] Error missing_sysctl(const Error& error);

}  // namespace headgate::conntrack
