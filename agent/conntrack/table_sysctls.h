// SPDX-License-Identifier: GPL-2.0-or-later
// The sysctls that describe a flow table.
#pragma once

#include <cstdint>

#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "conntrack/sysctl_file.h"

namespace headgate::conntrack {

/// Files opened once, in their network namespace, and readable from any thread.
class TableSysctls {
  public:
    /// Opens them in the calling thread's network namespace. Fails if conntrack is not loaded.
    [[nodiscard]] static Result<TableSysctls> open();

    [[nodiscard]] Result<TableUsage> usage() const;

    /// Cheap enough to be called many times during a dump.
    [[nodiscard]] Result<std::uint64_t> buckets() const;

    [[nodiscard]] Result<bool> tcp_loose() const;

  private:
    SysctlFile count_, maximum_, buckets_, tcp_loose_;
};

/// Adds the cause to the error of a missing sysctl.
[[nodiscard]] Error missing_sysctl(const Error& error);

}  // namespace headgate::conntrack
