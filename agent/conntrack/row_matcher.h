// SPDX-License-Identifier: GPL-2.0-or-later
// Turns conntrack messages and flows into the rows of a scan: matches raw attributes, decodes matches, reports each row
// once.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>
#include <vector>

#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "netlink/messages.h"

namespace headgate::conntrack {

/// Of what identifies a flow: original tuple, zone and id.
[[nodiscard]] std::uint64_t fingerprint(const Flow& flow);

/// Records which rows of a scan were reported, so that none is reported twice.
///
/// A dump repeats rows in two cases. If the entry at the dump's cursor is gone, the kernel restarts the bucket
/// (nf_conntrack_netlink.c, ctnetlink_dump_table): a repeated row then follows within the length of one chain, and a
/// window of recent rows detects it. If the table was resized and the scan starts over, any row may come again: for
/// that the fingerprints of all rows are kept, 8 bytes each, and sorted only when the scan starts over.
class DuplicateFilter {
  public:
    /// `window`: the largest distance, in rows, of a repetition within one pass.
    explicit DuplicateFilter(std::size_t window) : window_(window) {}

    /// Returns whether the row is new, and records it.
    [[nodiscard]] bool first_time(std::uint64_t fingerprint);

    /// Likewise, of a source that repeats no row within a pass.
    [[nodiscard]] bool first_pass(std::uint64_t fingerprint);

    /// Call when the scan starts over.
    void restart();

  private:
    std::size_t window_;
    std::deque<std::uint64_t> log_;              ///< of this pass; a deque grows without copying
    std::vector<std::uint64_t> earlier_passes_;  ///< sorted
    std::unordered_set<std::uint64_t> recent_;   ///< recent rows: at least `window_`, at most twice as many ...
    std::unordered_set<std::uint64_t> older_;    ///< ... in two halves, of which the older is dropped as a whole
};

class RowMatcher {
  public:
    RowMatcher(const FlowQuery& query, const Moment& moment, ScanListener& listener, std::size_t repetition_window);

    /// Processes one message about one flow.
    [[nodiscard]] Result<void> match(netlink::Bytes payload);

    /// Likewise a flow that no message is about, and that comes once a pass.
    [[nodiscard]] Result<void> match(const Flow& flow);

    /// Reports how many rows were read.
    [[nodiscard]] Result<void> progressed() { return listener_.progressed(report_.scanned); }

    /// Reports the rows of an incomplete block.
    [[nodiscard]] Result<void> flush();

    /// Call when another source begins: rows that were reported are not reported again.
    void start_over() { emitted_.restart(); }

    /// Likewise when the table was resized, which is counted.
    void restart();

    [[nodiscard]] const ScanReport& report() const noexcept { return report_; }

  private:
    [[nodiscard]] Result<void> report(const Flow& flow, Verdict verdict);

    const FlowQuery& query_;
    const Moment& moment_;
    ScanListener& listener_;
    DuplicateFilter emitted_;
    std::vector<FlowRow> block_;
    ScanReport report_;
};

}  // namespace headgate::conntrack
