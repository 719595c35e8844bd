#include "operations/capture.h"

#include "operations/operation_run.h"

namespace headgate::operations {

Result<FlowOperation> run_capture(FlowTable& table, const Clock& clock, const CaptureRequest& request,
                                  CaptureObserver& observer) {
    OperationRun run{clock, OperationType::Capture, request.endpoint, request.query};
    run.operation().stream_exception_policy = request.stream_exception_policy;
    if (auto told = observer.begun(run.operation()); !told) return tl::unexpected(std::move(told.error()));
    const auto report = table.scan(request.query, run.moment(), observer);
    if (!report) return tl::unexpected(report.error());
    run.count(*report);
    return run.finish();
}

}  // namespace headgate::operations
