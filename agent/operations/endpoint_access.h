// What an operation works on: the two seams of one endpoint.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

namespace headgate::operations {

/// What an operation works on, for itself alone.
struct EndpointAccess {
    std::unique_ptr<FlowTable> table;
    std::unique_ptr<Ruleset> ruleset;
    std::optional<std::chrono::nanoseconds> timestamps_since;  ///< by Clock::up(); see Moment::timestamps_for
};

/// Opens what an endpoint's names stand for. Called on any thread.
using EndpointOpener = std::function<Result<EndpointAccess>(const Endpoint&)>;

}  // namespace headgate::operations
