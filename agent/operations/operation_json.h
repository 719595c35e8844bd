// An operation as JSON, without its flows. Keys are a promise to users (README, "JSON").
#pragma once

#include <fmt/format.h>

#include "headgate/flow_operation.h"

namespace headgate::operations {

/// Appends what is known when an operation begins: the members without the braces, so that more can follow.
void append_request_members(fmt::memory_buffer& out, const FlowOperation& operation);

/// Appends what is known when it has ended, with a comma in front.
void append_result_members(fmt::memory_buffer& out, const FlowOperation& operation);

}  // namespace headgate::operations
