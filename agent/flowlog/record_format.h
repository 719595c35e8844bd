// SPDX-License-Identifier: GPL-2.0-or-later
// The format of flow log records.
#pragma once

#include <memory>

#include "headgate/ended_flow.h"

#include "config/configuration.h"
#include "flowlog/line_block.h"

namespace headgate::flowlog {

/// Not thread-safe: use one object per thread.
class RecordFormat {
  public:
    virtual ~RecordFormat() = default;

    /// Appends one or two lines. Called for every flow that ends; allocates nothing but the block's own memory.
    virtual void append(LineBlock& block, const EndedFlow& ended) = 0;

    /// Appends a line that reports missing records.
    virtual void append(LineBlock& block, const LostFlows& lost) = 0;
};

[[nodiscard]] std::unique_ptr<RecordFormat> make_format(config::FlowLogFormat format);

}  // namespace headgate::flowlog
