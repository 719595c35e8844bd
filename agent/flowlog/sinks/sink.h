// SPDX-License-Identifier: GPL-2.0-or-later
// The destination of flow log records. Each sink is used by one thread only, that of its queue (sink_queue.h).
#pragma once

#include <cstddef>
#include <string>

#include "headgate/result.h"

#include "flowlog/line_block.h"

namespace headgate::flowlog {

/// Result of a write.
struct Written {
    std::size_t lines = 0;     ///< lines written
    std::size_t too_long = 0;  ///< lines after those, skipped because the sink can never accept them
    std::string note;          ///< a message for the operator; empty: none
};

/// Not thread-safe.
class Sink {
  public:
    virtual ~Sink() = default;

    /// Opens the destination, so that a fault is reported before the first line. Called before the first write, and
    /// after reopen().
    [[nodiscard]] virtual Result<void> prepare() { return {}; }

    /// Writes lines of the block from `first` on: whole lines, in order. Blocks for about a second at most. On error
    /// nothing was written, and the caller retries the same lines later.
    [[nodiscard]] virtual Result<Written> write(const LineBlock& block, std::size_t first) = 0;

    /// Called when the file may have been renamed: later writes go to the file that has its name then.
    virtual void reopen() {}
};

}  // namespace headgate::flowlog
