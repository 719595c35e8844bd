// SPDX-License-Identifier: GPL-2.0-or-later
// A verdict as bytes, for the blocks of flows (flow_rows.h).
#pragma once

#include "headgate/flow_verdict.h"
#include "headgate/operation_flows.h"

#include "operations/packed_bytes.h"

namespace headgate::operations {

void append_verdict(PackedBytes& out, const FlowVerdict& verdict);

/// Spoils `in` where the bytes are none that append_verdict() has written.
[[nodiscard]] FlowVerdict read_verdict(PackedReader& in);

}  // namespace headgate::operations
