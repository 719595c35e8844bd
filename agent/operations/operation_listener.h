// Who wants to know how operations end.
#pragma once

#include <functional>

#include "headgate/flow_operation.h"

namespace headgate::operations {

/// Is told of each operation once it has ended: with its last status and counts, refused ones and those that were
/// settled after a kill among them. Called on whatever thread ends it, so it is quick, thread-safe and does not throw.
using OperationListener = std::function<void(const FlowOperation& ended)>;

}  // namespace headgate::operations
