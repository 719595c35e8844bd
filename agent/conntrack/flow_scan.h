// SPDX-License-Identifier: GPL-2.0-or-later
// A scan: plans it, chooses the source of its rows, and reads it until one pass is complete.
#pragma once

#include "headgate/flow_table.h"

#include "conntrack/dump_stream.h"
#include "conntrack/table_sysctls.h"

namespace headgate::conntrack {

/// As FlowTable::scan().
[[nodiscard]] Result<ScanReport> run_scan(const SocketSource& open_socket, const TableSysctls& sysctls,
                                          const FlowQuery& query, const Moment& moment, ScanListener& listener);

}  // namespace headgate::conntrack
