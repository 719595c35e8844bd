// SPDX-License-Identifier: GPL-2.0-or-later
// Recovers operations that a killed process left in progress.
#pragma once

#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/flush_listener.h"
#include "headgate/operation_store.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

namespace headgate::operations {

/// Looks up every flow whose outcome was not recorded: an existing one was not flushed; a missing one was flushed or
/// ended by itself, which can no longer be distinguished. Existing ones are removed from the policy's remembered flows.
/// Without table and ruleset the namespace is gone, and all flows count as missing. Reports missing flows to the
/// listener. Returns the completed operation, without storing it. Damaged: the journal cannot be read.
[[nodiscard]] Result<FlowOperation> recover_operation(OperationStore& store, const FlushListener& listener,
                                                      FlowTable* table, Ruleset* ruleset, FlowOperation operation);

}  // namespace headgate::operations
