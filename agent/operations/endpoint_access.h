// SPDX-License-Identifier: GPL-2.0-or-later
// What operations are given: access to their endpoints, and who is notified when they end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/judge.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

namespace headgate::operations {

/// The objects that one operation uses exclusively.
struct EndpointAccess {
    std::unique_ptr<FlowTable> table;
    std::unique_ptr<Ruleset> ruleset;
    std::unique_ptr<Judge> judge;
    std::optional<std::chrono::nanoseconds> timestamps_since;  ///< by Clock::up(); see Moment::timestamps_for
};

/// Opens the flow table and ruleset of an endpoint. Called on any thread.
using EndpointOpener = std::function<Result<EndpointAccess>(const Endpoint&)>;

/// Receives each operation once it has ended, with its final status and counts; also refused ones, and those recovered
/// after a kill. Called on any thread, so it must be fast, thread-safe and not throw.
using OperationListener = std::function<void(const FlowOperation& ended)>;

}  // namespace headgate::operations
