// An operation with its flows as one JSON document, in three parts, so that the flows can be as many as they like. Each
// is on a line of its own, so that people can look at it, too. Keys are a promise to users (docs/output.md).
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "headgate/flow_operation.h"

#include "flow/flow_json.h"

namespace headgate::operations {

class ResultsJson {
  public:
    void begin(fmt::memory_buffer& out, const FlowOperation& operation);
    void flow(fmt::memory_buffer& out, const Flow& flow, const FlowAnnotation& annotation);

    /// With the operation as it is by then. `next_cursor`: where the flows that are left out go on; empty where there
    /// are none.
    void end(fmt::memory_buffer& out, const FlowOperation& operation, std::string_view next_cursor = {}) const;

  private:
    Moment moment_;
    bool first_ = true;
};

}  // namespace headgate::operations
