#include "cli/commands.h"
#include "cli/operation_follower.h"

namespace headgate::cli {

Result<ExitCode> run_capture_command(const CaptureArguments& arguments) {
    auto query = arguments.filter.query();
    if (!query) return tl::unexpected(query.error());
    const auto format = arguments.output.format();
    if (!format) return tl::unexpected(format.error());
    const auto gateway =
        arguments.endpoint.network_namespace ? arguments.gateway.open_here() : arguments.gateway.open();
    if (!gateway) return tl::unexpected(gateway.error());

    gateway::OperationOrder order;
    order.type = OperationType::Capture;
    order.endpoint = arguments.endpoint.name();
    order.query = std::move(*query);
    order.caller = this_caller();
    OperationOutput output{*format};
    const auto operation = run_operation(**gateway, order, arguments.explain ? Explain::Yes : Explain::No, &output);
    if (!operation) return tl::unexpected(operation.error());
    const auto written = output.finish(**gateway, *operation);
    tell_caveats(*operation);
    if (!written) return tl::unexpected(written.error());
    return exit_code(*operation);
}

}  // namespace headgate::cli
