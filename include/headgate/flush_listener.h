// SPDX-License-Identifier: GPL-2.0-or-later
// Interface to learn which flows a flush has ended.
#pragma once

#include <span>

#include "headgate/ended_flow.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

namespace headgate {

/// Called on the operations' threads: must be fast, thread-safe and not throw. If the process is killed between
/// begins() and ended(), flows stored as flushed may not have been reported.
class FlushListener {
  public:
    virtual ~FlushListener() = default;

    /// An operation is going to end flows. An error prevents it.
    [[nodiscard]] virtual Result<void> begins(const FlowOperation& /*operation*/) const { return {}; }

    /// After storage: each flow whose outcome is Flushed, once; `endings` may contain other outcomes.
    virtual void flushed(const FlowOperation& /*operation*/, std::span<const FlowRow> /*endings*/) const {}

    /// The operation ends no more flows.
    virtual void ended(const FlowOperation& /*operation*/) const {}

    /// Flows that an operation was ending when its process was killed, and that no longer exist: flushed, or ended by
    /// themselves.
    virtual void lost_sight_of(const FlowOperation& /*operation*/, std::span<const Flow> /*flows*/) const {}
};

/// For engines without a listener.
inline const FlushListener kNobodyListens{};

}  // namespace headgate
