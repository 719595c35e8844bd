// SPDX-License-Identifier: GPL-2.0-or-later
// Rows by a dump of the table, or by several dumps at once that the kernel filters.
#pragma once

#include <vector>

#include "headgate/flow_table.h"

#include "conntrack/dump_stream.h"
#include "conntrack/scan_plan.h"
#include "conntrack/scan_source.h"
#include "conntrack/table_sysctls.h"

namespace headgate::conntrack {

/// The dumps to run, after trying on the table itself that the kernel's filters are harmless; tells `listener` why.
[[nodiscard]] Result<std::vector<KernelFilter>> confirm_dumps(const SocketSource& open_socket, const ScanPlan& plan,
                                                              ScanListener& listener);

class DumpSource final : public ScanSource {
  public:
    /// `dumps` as from confirm_dumps(). `sysctls` must outlive the source.
    DumpSource(SocketSource open_socket, const TableSysctls& sysctls, std::vector<KernelFilter> dumps)
        : open_socket_(std::move(open_socket)), sysctls_(sysctls), dumps_(std::move(dumps)) {}

    Result<Pass> read(RowMatcher& rows) override;

  private:
    [[nodiscard]] Result<Pass> read(DumpStream& stream, std::uint64_t buckets_before, RowMatcher& rows);

    SocketSource open_socket_;
    const TableSysctls& sysctls_;
    std::vector<KernelFilter> dumps_;
};

}  // namespace headgate::conntrack
