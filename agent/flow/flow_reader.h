// SPDX-License-Identifier: GPL-2.0-or-later
// Parses a flow from the JSON of append_flow_json().
#pragma once

#include "headgate/flow.h"
#include "headgate/result.h"

#include "flow/json_reader.h"

namespace headgate {

/// Members that identify the flow in the kernel are required; descriptive ones are optional.
[[nodiscard]] Result<Flow> read_flow(const JsonObject& object);

}  // namespace headgate
