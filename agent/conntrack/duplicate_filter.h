// SPDX-License-Identifier: GPL-2.0-or-later
// Records which rows of a scan were reported, so that none is reported twice.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>
#include <vector>

namespace headgate::conntrack {

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

    /// Call when the scan starts over.
    void restart();

  private:
    std::size_t window_;
    std::deque<std::uint64_t> log_;              ///< of this pass; a deque grows without copying
    std::vector<std::uint64_t> earlier_passes_;  ///< sorted
    std::unordered_set<std::uint64_t> recent_;   ///< recent rows: at least `window_`, at most twice as many ...
    std::unordered_set<std::uint64_t> older_;    ///< ... in two halves, of which the older is dropped as a whole
};

}  // namespace headgate::conntrack
