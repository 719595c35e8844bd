// Orders an operation of a gateway, follows it to its end, and writes what comes of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "cli/exit_code.h"
#include "cli/flow_writer.h"
#include "gateway/gateway.h"

namespace headgate::cli {

enum class Explain : std::uint8_t { No, Yes };

/// An operation with its flows, to stdout. That nobody reads to the end is no error, and nothing else ends for it.
class OperationOutput {
  public:
    explicit OperationOutput(OutputFormat format) : writer_(make_flow_writer(format, out_)) {}

    /// The flows that have become known since the last time.
    void write_flows(gateway::Gateway& gateway, const FlowOperation& operation);

    /// The rest of them, and the operation as it has ended.
    [[nodiscard]] Result<void> finish(gateway::Gateway& gateway, const FlowOperation& operation);

  private:
    [[nodiscard]] Result<void> begin(const FlowOperation& operation);

    OutputStream out_{1};
    std::unique_ptr<FlowWriter> writer_;
    bool begun_ = false;
    std::uint64_t flows_ = 0;  ///< that are written
    Result<void> written_;
};

/// Shows on a terminal how far it has come; Ctrl-C ends it early. What it finds goes to `output`, if there is one, as
/// it is found. An error where it was refused, or failed before it had found a flow.
[[nodiscard]] Result<FlowOperation> run_operation(gateway::Gateway& gateway, const gateway::OperationOrder& order,
                                                  Explain explain, OperationOutput* output = nullptr);

/// On stderr: what the operation could not know or do, and what the operator should know.
void tell_caveats(const FlowOperation& operation);

}  // namespace headgate::cli
