// SPDX-License-Identifier: GPL-2.0-or-later
// Executes a scan plan over ctnetlink.
#pragma once

#include "headgate/flow_table.h"

#include "conntrack/ctnetlink_requests.h"
#include "conntrack/dump_stream.h"
#include "conntrack/row_matcher.h"
#include "conntrack/scan_plan.h"
#include "conntrack/table_sysctls.h"

namespace headgate::conntrack {

/// One scan; single use.
class FlowScan {
  public:
    FlowScan(SocketSource open_socket, const TableSysctls& sysctls, const FlowQuery& query, const Moment& moment,
             ScanListener& listener);

    [[nodiscard]] Result<ScanReport> run();

  private:
    enum class Pass : std::uint8_t { Complete, Resized };

    [[nodiscard]] Result<void> look_up(const ScanPlan& plan, RowMatcher& rows);
    [[nodiscard]] Result<void> look_up_batch(netlink::Socket& socket, RequestBatch& batch, RowMatcher& rows);
    [[nodiscard]] Result<std::vector<KernelFilter>> confirm_dumps(const ScanPlan& plan);
    [[nodiscard]] Result<DumpSample> take_sample(const KernelFilter& dumped, const KernelFilter& candidate,
                                                 std::uint64_t rows);
    [[nodiscard]] Result<void> dump_until_stable(const std::vector<KernelFilter>& dumps, RowMatcher& rows);
    [[nodiscard]] Result<Pass> dump(const std::vector<KernelFilter>& dumps, RowMatcher& rows);
    [[nodiscard]] Result<Pass> read_dump(DumpStream& stream, std::uint64_t buckets_before, RowMatcher& rows);

    SocketSource open_socket_;
    const TableSysctls& sysctls_;
    const FlowQuery& query_;
    const Moment& moment_;
    ScanListener& listener_;
    std::vector<std::byte> buffer_;
};

}  // namespace headgate::conntrack
