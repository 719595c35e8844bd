// Remembers which rows of a scan were told, so that none is told twice.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>
#include <vector>

namespace headgate::conntrack {

/// A dump repeats rows in two cases. When the entry that its cursor points to is gone, the kernel begins that bucket
/// anew (nf_conntrack_netlink.c, ctnetlink_dump_table): a repeated row then follows within the length of one chain, and
/// a window of the last rows is enough to know it. And when the table was resized and the scan begins anew, anything
/// may come again: for that the fingerprints of all rows are kept, 8 bytes each, and only then put in order for
/// searching.
class EmittedRows {
  public:
    /// `window`: within how many rows a repetition must come.
    explicit EmittedRows(std::size_t window) : window_(window) {}

    /// Whether this row was not told before; from now on it was.
    [[nodiscard]] bool first_time(std::uint64_t fingerprint);

    /// The scan begins anew.
    void restart();

  private:
    std::size_t window_;
    std::deque<std::uint64_t> log_;              ///< of this pass; a deque grows without ever copying
    std::vector<std::uint64_t> earlier_passes_;  ///< sorted
    std::unordered_set<std::uint64_t>
        recent_;                               ///< the last rows: `window_` of them at least, twice as many at most ...
    std::unordered_set<std::uint64_t> older_;  ///< ... in two halves, of which the older one is dropped whole
};

}  // namespace headgate::conntrack
