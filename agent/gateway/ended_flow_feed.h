// SPDX-License-Identifier: GPL-2.0-or-later
// Passes recently ended flows to readers.
#pragma once

#include "flowlog/recent_flow_buffer.h"
#include "gateway/gateway.h"

namespace headgate::gateway {

class EndedFlowFeed final : public EndedFlows {
  public:
    /// The buffer must outlive this object.
    explicit EndedFlowFeed(const flowlog::RecentFlowBuffer& recent) : recent_(recent) {}

    Result<void> for_each_ended(const EndedFlowQuery& query, const RecordSink& sink) override;

  private:
    const flowlog::RecentFlowBuffer& recent_;
};

}  // namespace headgate::gateway
