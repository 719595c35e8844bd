#include "operations/capture.h"

#include "operations/operation_lifecycle.h"

namespace headgate::operations {

Result<void> run_capture(FlowTable& table, const Moment& moment, FlowOperation& operation, ScanListener& listener) {
    const auto report = table.scan(operation.query, moment, listener);
    if (!report) return tl::unexpected(report.error());
    count(operation, *report);
    return {};
}

}  // namespace headgate::operations
