// Passes recently ended flows to readers.
#pragma once

#include "flowlog/recent_ends.h"
#include "gateway/gateway.h"

namespace headgate::gateway {

/// Implements Gateway::for_each_ended.
[[nodiscard]] Result<void> tell_ended(const flowlog::RecentEnds& recent, const EndedFlowQuery& query,
                                      const RecordSink& take);

}  // namespace headgate::gateway
