// SPDX-License-Identifier: GPL-2.0-or-later
// Passes recently ended flows to readers.
#pragma once

#include "flowlog/recent_flow_buffer.h"
#include "gateway/gateway.h"

namespace headgate::gateway {

/// Implements Gateway::for_each_ended.
[[nodiscard]] Result<void> tell_ended(const flowlog::RecentFlowBuffer& recent, const EndedFlowQuery& query,
                                      const RecordSink& take);

}  // namespace headgate::gateway
