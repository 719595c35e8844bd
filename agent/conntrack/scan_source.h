// SPDX-License-Identifier: GPL-2.0-or-later
// The sources of a scan's rows: a dump of the table (dump_source.h); look-ups of candidates (lookup_source.h), which a
// plan names; a walk of the hash (walk/hash_walk.h), with look-ups of what it does not know in every part. They share
// what follows: matching, the filter of repeated rows, repeated passes and the report (flow_scan.h).
#pragma once

#include <cstdint>

#include "headgate/result.h"

#include "conntrack/dump_stream.h"
#include "conntrack/row_matcher.h"
#include "conntrack/table_sysctls.h"
#include "netlink/network_namespace.h"

namespace headgate::conntrack {

/// The flow table to scan. What it refers to must outlive its users.
struct ScannedTable {
    const netlink::NetworkNamespace& where;
    const SocketSource& open_socket;  ///< there
    const TableSysctls& sysctls;
};

enum class Pass : std::uint8_t {
    Complete,
    Resized,     ///< the table was resized meanwhile: rows may be missing, and another pass is needed
    Unsuitable,  ///< the source cannot answer this query, and another one is needed
};

/// Another name than operations::RowSource, which gives the rows of an earlier capture.
class ScanSource {
  public:
    virtual ~ScanSource() = default;

    /// Passes the message about each flow that may match to `rows`, at least once, and reports the progress.
    [[nodiscard]] virtual Result<Pass> read(RowMatcher& rows) = 0;
};

}  // namespace headgate::conntrack
