// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/operation_work.h"

namespace headgate::operations {
namespace {

/// A capture changes nothing and needs no policy: failure to read it is a warning.
void name_policy(Ruleset& ruleset, FlowOperation& operation) {
    const auto policy = ruleset.in_force();
    if (!policy && policy.error().kind != ErrorKind::Unprivileged) operation.warnings.push_back(policy.error().message);
    if (policy && *policy) operation.stream_exception_policy = (*policy)->name;
}

}  // namespace

Result<void> run_capture(const OperationRequest& /*request*/, const WorkPlace& place, FlowOperation& operation,
                         WorkListener& listener) {
    name_policy(place.ruleset, operation);
    return scan_table(place, operation, listener, [&](std::span<const FlowRow> rows) {
        operation.counts.matched += rows.size();
        return listener.left_alone(rows);
    });
}

}  // namespace headgate::operations
