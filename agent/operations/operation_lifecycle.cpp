// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/operation_lifecycle.h"

#include <Poco/UUIDGenerator.h>

#include "base/error_kinds.h"

namespace headgate::operations {

FlowOperation new_operation(const Clock& clock, const FlowRequest& request, Endpoint endpoint) {
    FlowOperation operation;
    static_cast<FlowRequest&>(operation) = request;
    operation.id = Poco::UUIDGenerator{}.createRandom().toString();
    operation.endpoint = std::move(endpoint);
    // As it is printed: whoever parses it computes the same ages.
    operation.requested_at = std::chrono::floor<std::chrono::milliseconds>(clock.now());
    operation.machine_up = std::chrono::floor<std::chrono::seconds>(clock.up());
    return operation;
}

void warn_unless_recorded(std::vector<std::string>& warnings, const Result<void>& recorded) {
    if (!recorded) warnings.push_back("not recorded: " + recorded.error().message);
}

std::string not_kept(const Error& why) {
    return "not kept, so it cannot be looked up later: " + why.message;
}

void count(FlowOperation& operation, const ScanReport& report) {
    operation.counts.scanned = report.scanned;
    operation.counts.matched = report.matched;
    operation.counts.age_unknown = report.age_unknown;
    operation.counts.bytes_unknown = report.bytes_unknown;
    operation.counts.closed = report.closed;
    operation.restarts = report.restarts;
    operation.empty_table = report.empty_table;
}

void count(OperationCounts& counts, Outcome outcome) {
    switch (outcome) {
        case Outcome::Flushed:
            ++counts.flushed;
            break;
        case Outcome::Gone:
            ++counts.gone;
            break;
        case Outcome::Failed:
            ++counts.failed;
            break;
        case Outcome::Protected:
            ++counts.protected_flows;
            break;
    }
}

void close_interrupted(FlowOperation& operation) {
    const bool ended_some = operation.counts.flushed + operation.counts.gone != 0;
    operation.status = ended_some ? OperationStatus::CompletedWithErrors : OperationStatus::Failed;
    operation.status_message = kOperationError;
}

void close(FlowOperation& operation, const Result<void>& run) {
    if (run) {
        // An interrupted run has set its message already.
        const bool errors = operation.counts.failed != 0 || !operation.status_message.empty();
        operation.status = errors ? OperationStatus::CompletedWithErrors : OperationStatus::Completed;
        if (errors && operation.status_message.empty()) operation.status_message = kOperationError;
        return;
    }
    operation.status = OperationStatus::Failed;
    operation.status_message = run.error().kind == ErrorKind::TimedOut ? kOperationTimeout : kOperationError;
    operation.detail = run.error().message;
    operation.refused = is_refusal(run.error());
}

}  // namespace headgate::operations
