// Settles what a killed process left behind: an operation that is in progress for ever.
#pragma once

#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/operation_store.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "operations/flush_listener.h"

namespace headgate::operations {

/// Asks the table for every flow whose ending was not recorded: one that is there was not flushed, one that is not was
/// flushed or has ended by itself, which nobody can tell apart any more. Those still there are forgotten by the stream
/// exception policy. Without table and ruleset: they are gone, and no flow is there. Returns the operation as it is
/// closed with that, without writing it. The listener is told of those that
/// are not there. EBADMSG: the journal cannot be read.
[[nodiscard]] Result<FlowOperation> settle_cut_operation(OperationStore& store, const FlushListener& listener,
                                                         FlowTable* table, Ruleset* ruleset, FlowOperation operation);

}  // namespace headgate::operations
