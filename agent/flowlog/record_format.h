// How the records of a flow log look.
#pragma once

#include <memory>

#include "headgate/ended_flow.h"

#include "config/configuration.h"
#include "flowlog/line_block.h"

namespace headgate::flowlog {

/// Not thread-safe: one object a thread.
class RecordFormat {
  public:
    virtual ~RecordFormat() = default;

    /// Appends a line, or two. Called for every flow that ends: no allocation beyond the block's.
    virtual void append(LineBlock& block, const EndedFlow& ended) = 0;

    /// Appends a line that says that records are missing.
    virtual void append(LineBlock& block, const LostFlows& lost) = 0;
};

[[nodiscard]] std::unique_ptr<RecordFormat> make_format(config::FlowLogFormat format);

}  // namespace headgate::flowlog
