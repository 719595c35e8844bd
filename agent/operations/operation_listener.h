// SPDX-License-Identifier: GPL-2.0-or-later
// Callback for ended operations.
#pragma once

#include <functional>

#include "headgate/flow_operation.h"

namespace headgate::operations {

/// Receives each operation once it has ended, with its final status and counts; also refused ones, and those recovered
/// after a kill. Called on any thread, so it must be fast, thread-safe and not throw.
using OperationListener = std::function<void(const FlowOperation& ended)>;

}  // namespace headgate::operations
