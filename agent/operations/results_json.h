// SPDX-License-Identifier: GPL-2.0-or-later
// An operation with its flows as one JSON document, written in three parts to allow any number of flows, one per line
// for readability. Keys are a stable interface (docs/output.md).
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "headgate/flow_operation.h"

#include "flow/flow_json.h"

namespace headgate::operations {

class ResultsJson {
  public:
    void begin(fmt::memory_buffer& out, const FlowOperation& operation);
    void flow(fmt::memory_buffer& out, const FlowRow& row);

    /// With the operation's current state. `next_cursor`: where omitted flows continue; empty if there are none.
    void end(fmt::memory_buffer& out, const FlowOperation& operation, std::string_view next_cursor = {}) const;

  private:
    Moment moment_;
    bool first_ = true;
};

}  // namespace headgate::operations
