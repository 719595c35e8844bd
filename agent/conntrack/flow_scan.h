// Carries out a scan plan over ctnetlink.
#pragma once

#include <functional>

#include "headgate/flow_table.h"

#include "conntrack/netlink_socket.h"
#include "conntrack/row_matcher.h"
#include "conntrack/scan_plan.h"
#include "conntrack/table_sysctls.h"

namespace headgate::conntrack {

/// Opens a fresh socket in the table's network namespace.
using SocketSource = std::function<Result<NetlinkSocket>()>;

/// One scan, used once.
class FlowScan {
  public:
    FlowScan(SocketSource open_socket, const TableSysctls& sysctls, const FlowQuery& query, const Moment& moment,
             ScanListener& listener);

    [[nodiscard]] Result<ScanReport> run();

  private:
    enum class Pass : std::uint8_t { Complete, Resized };

    [[nodiscard]] Result<void> look_up(const ScanPlan& plan, RowMatcher& rows);
    [[nodiscard]] Result<void> look_up_batch(NetlinkSocket& socket, class RequestBatch& batch, RowMatcher& rows);
    [[nodiscard]] Result<KernelFilter> settle_filter(const KernelFilter& candidate);
    [[nodiscard]] Result<DumpSample> take_sample(const KernelFilter& candidate);
    [[nodiscard]] Result<void> dump_until_stable(const KernelFilter& filter, RowMatcher& rows);
    [[nodiscard]] Result<Pass> dump(const KernelFilter& filter, RowMatcher& rows);

    SocketSource open_socket_;
    const TableSysctls& sysctls_;
    const FlowQuery& query_;
    const Moment& moment_;
    ScanListener& listener_;
    std::vector<std::byte> buffer_;
};

}  // namespace headgate::conntrack
