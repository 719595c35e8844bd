// SPDX-License-Identifier: GPL-2.0-or-later
// Parses a flow from the JSON of append_flow_json().
#pragma once

#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "flow/json_reader.h"

namespace headgate {

/// Members that identify the flow in the kernel are required; descriptive ones are optional.
[[nodiscard]] Result<Flow> read_flow(const JsonObject& object);

/// Likewise with the outcome. The end time of an ended flow is derived from its age, to the second, so that it is
/// displayed as before.
[[nodiscard]] Result<FlowRow> read_stored_flow(const JsonObject& object);

}  // namespace headgate
