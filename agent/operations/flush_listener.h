// Who wants to know which flows a flush has ended.
#pragma once

#include <span>

#include "headgate/ended_flow.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

namespace headgate::operations {

/// Called on the threads of operations: quick, thread-safe, and without exceptions. A process may be killed at any
/// moment: of a flow that the store has as flushed, between begins() and ended(), nobody may have been told.
class FlushListener {
  public:
    virtual ~FlushListener() = default;

    /// An operation will end flows. An error: it may not.
    [[nodiscard]] virtual Result<void> begins(const FlowOperation& /*operation*/) const { return {}; }

    /// Each flow whose outcome is Flushed, once, after it was stored; others may be among the endings.
    virtual void flushed(const FlowOperation& /*operation*/, std::span<const FlowEnding> /*endings*/) const {}

    /// It ends no more.
    virtual void ended(const FlowOperation& /*operation*/) const {}

    /// Flows that an operation was ending when its process was killed, and that are not there any more: flushed, or
    /// ended by themselves.
    virtual void lost_sight_of(const FlowOperation& /*operation*/, std::span<const Flow> /*flows*/) const {}
};

/// For engines that nobody asks about flows.
inline const FlushListener kNobodyListens{};

}  // namespace headgate::operations
