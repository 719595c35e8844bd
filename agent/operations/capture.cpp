// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/operation_work.h"

namespace headgate::operations {

Result<void> run_capture(const OperationRequest& /*request*/, const WorkPlace& place, FlowOperation& operation,
                         WorkListener& listener) {
    name_policy(place.ruleset, operation);
    return scan_table(place, operation, listener, [&](std::span<const FlowRow> rows) {
        operation.counts.matched += rows.size();
        return listener.left_alone(rows);
    });
}

}  // namespace headgate::operations
