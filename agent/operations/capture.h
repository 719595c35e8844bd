// Capture: the flows that match, told as they are found.
#pragma once

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

namespace headgate::operations {

struct CaptureRequest {
    FlowQuery query;
    Endpoint endpoint;
    std::string stream_exception_policy = "none";  ///< the name of the one in force, to be told with the result
};

/// Follows a capture. Errors that it returns end the capture with them.
class CaptureObserver : public ScanListener {
  public:
    /// Before the first row.
    virtual Result<void> begun(const FlowOperation& operation) = 0;
};

/// Runs to its end in the calling thread. `query` has been validated.
[[nodiscard]] Result<FlowOperation> run_capture(FlowTable& table, const Clock& clock, const CaptureRequest& request,
                                                CaptureObserver& observer);

}  // namespace headgate::operations
