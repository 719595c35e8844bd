#include "operations/operation_run.h"

#include <Poco/UUIDGenerator.h>

namespace headgate {

std::string_view to_string(OperationType type) {
    switch (type) {
        case OperationType::Capture:
            return "FLOW_CAPTURE";
        case OperationType::Flush:
            return "FLOW_FLUSH";
    }
    return {};
}

std::string_view to_string(OperationStatus status) {
    switch (status) {
        case OperationStatus::InProgress:
            return "IN_PROGRESS";
        case OperationStatus::Completed:
            return "COMPLETED";
        case OperationStatus::CompletedWithErrors:
            return "COMPLETED_WITH_ERRORS";
        case OperationStatus::Failed:
            return "FAILED";
    }
    return {};
}

namespace operations {

OperationRun::OperationRun(const Clock& clock, OperationType type, Endpoint endpoint, FlowQuery query)
    : clock_(clock), begun_(clock.steady_now()) {
    operation_.id = Poco::UUIDGenerator{}.createRandom().toString();
    operation_.type = type;
    operation_.endpoint = std::move(endpoint);
    operation_.query = std::move(query);
    operation_.requested_at = clock.now();
}

void OperationRun::count(const ScanReport& report) {
    operation_.counts.scanned = report.scanned;
    operation_.counts.matched = report.matched;
    operation_.counts.age_unknown = report.age_unknown;
    operation_.counts.bytes_unknown = report.bytes_unknown;
    operation_.restarts = report.restarts;
}

void OperationRun::count(Outcome outcome) {
    switch (outcome) {
        case Outcome::Flushed:
            ++operation_.counts.flushed;
            break;
        case Outcome::Gone:
            ++operation_.counts.gone;
            break;
        case Outcome::Failed:
            ++operation_.counts.failed;
            break;
        case Outcome::Protected:
            ++operation_.counts.protected_flows;
            break;
    }
}

FlowOperation OperationRun::finish() {
    const bool errors = operation_.counts.failed != 0;
    operation_.status = errors ? OperationStatus::CompletedWithErrors : OperationStatus::Completed;
    if (errors) operation_.status_message = "Flow operation error";
    operation_.duration = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady_now() - begun_);
    return operation_;
}

}  // namespace operations
}  // namespace headgate
