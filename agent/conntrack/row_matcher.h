// SPDX-License-Identifier: GPL-2.0-or-later
// Turns conntrack messages into the rows of a scan: matches raw attributes, decodes matches, reports each row once.
#pragma once

#include <cstdint>
#include <vector>

#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "conntrack/duplicate_filter.h"
#include "netlink/attributes.h"

namespace headgate::conntrack {

class RowMatcher {
  public:
    RowMatcher(const FlowQuery& query, const Moment& moment, ScanListener& listener, std::size_t repetition_window);

    /// Processes one message about one flow.
    [[nodiscard]] Result<void> take(netlink::Bytes payload);

    /// Tells the listener how many rows were read.
    [[nodiscard]] Result<void> progressed() { return listener_.progressed(report_.scanned); }

    /// Reports the rows of an incomplete block.
    [[nodiscard]] Result<void> flush();

    /// Call when the scan starts over: rows that were reported are not reported again.
    void restart();

    [[nodiscard]] const ScanReport& report() const noexcept { return report_; }

  private:
    const FlowQuery& query_;
    const Moment& moment_;
    ScanListener& listener_;
    DuplicateFilter emitted_;
    std::vector<FlowRow> block_;
    ScanReport report_;
};

}  // namespace headgate::conntrack
