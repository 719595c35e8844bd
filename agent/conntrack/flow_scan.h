// SPDX-License-Identifier: GPL-2.0-or-later
// A scan: plans it, chooses the source of its rows, and reads it until one pass is complete.
#pragma once

#include "headgate/flow_table.h"

#include "conntrack/walk/hash_walk.h"

namespace headgate::conntrack {

/// As FlowTable::scan(). `walk` may be null: then the hash is not walked.
[[nodiscard]] Result<ScanReport> run_scan(const ScannedTable& table, HashWalk* walk, const FlowQuery& query,
                                          const Moment& moment, ScanListener& listener);

}  // namespace headgate::conntrack
