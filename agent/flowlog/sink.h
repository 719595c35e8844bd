// Where the records of a flow log go. Each sink is used by one thread, its queue's (sink_queue.h).
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "headgate/result.h"

#include "config/configuration.h"
#include "flowlog/line_block.h"

namespace headgate::flowlog {

/// What became of the next lines of a block.
struct Written {
    std::size_t lines = 0;     ///< that went
    std::size_t too_long = 0;  ///< after those: passed over, for the sink could never take them
    std::string note;          ///< what else the operator should know
};

/// Not thread-safe.
class Sink {
  public:
    virtual ~Sink() = default;

    /// Opens what there is to open, so that a fault shows before the first line. Called before that, and after
    /// reopen().
    [[nodiscard]] virtual Result<void> prepare() { return {}; }

    /// Writes lines of the block from `first` on, whole ones only and in their order. Does not wait for longer than
    /// about a second. An error: none went, and the same lines are to be tried again later.
    [[nodiscard]] virtual Result<Written> write(const LineBlock& block, std::size_t first) = 0;

    /// The file may have been moved away: what is written from now on goes to where its name leads.
    virtual void reopen() {}
};

/// Opens nothing so far: the first write does.
[[nodiscard]] std::unique_ptr<Sink> make_sink(const config::FlowLogSink& sink);

}  // namespace headgate::flowlog
