// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/arguments.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/operation_follower.h"
#include "cli/output_arguments.h"
#include "gateway/local_quarantines.h"

namespace headgate::cli {
namespace {

struct CaptureArguments {
    FilterArguments filter;
    EndpointArguments endpoint;
    OutputArguments output{flow_columns()};
    SearchArguments search;
    bool quarantined = false;

    void add_to(CLI::App& command) {
        filter.add_to(command);
        endpoint.add_to(command);
        output.add_to(command);
        OptionGroup{command}.add_flag("--quarantined", quarantined,
                                      "flows from and to the addresses in quarantine, in place of a filter");
        search.add_to(command);
    }
};

Result<FlowQuery> quarantined_flows(gateway::Gateway& gateway, const CaptureArguments& arguments) {
    const auto quarantine = gateway.quarantines().quarantined(arguments.endpoint.name());
    if (!quarantine) return tl::unexpected(about_argument(quarantine.error()));
    std::vector<Prefix> prefixes;
    for (const auto& entry : quarantine->entries)
        prefixes.push_back(entry.prefix);
    if (prefixes.empty()) return not_found("--quarantined: nothing is in quarantine");
    auto query = arguments.filter.query_of(gateway::flows_of(prefixes));
    if (!query) return tl::unexpected(std::move(query.error()).within("--quarantined"));
    return query;
}

Result<ExitCode> run_capture(const GatewayArguments& gateway_arguments, const CaptureArguments& arguments,
                             Writer& writer) {
    // A wrong filter is an error before the gateway is asked for anything.
    auto query = arguments.quarantined ? Result<FlowQuery>{} : arguments.filter.query();
    if (!query) return tl::unexpected(query.error());
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open(arguments.endpoint.name()));
    if (arguments.quarantined) query = quarantined_flows(*gateway, arguments);
    if (!query) return tl::unexpected(query.error());

    gateway::OperationRequest request;
    request.type = OperationType::Capture;
    request.endpoint = arguments.endpoint.name();
    request.query = std::move(*query);
    request.no_fast_scan = arguments.search.no_fast_scan;
    request.caller = this_caller();
    OperationOutput output{writer};
    ASSIGN_OR_RETURN(
        const auto operation,
        run_operation(gateway->operations(), request, arguments.search.explain ? Explain::Yes : Explain::No, &output));
    return conclude(gateway_arguments, gateway->operations(), operation, output);
}

}  // namespace

void add_capture_command(CommandTree& tree) {
    auto& command = tree.add(tree.app(), "capture", "Show the active flows that match a filter", run_capture);
    add_examples(command, {
                              "headgate capture --dport https,8443 --min-age 5m",
                              "headgate capture -s 10.20.0.0/16 -p tcp --sort bytes",
                              "headgate capture --all --count",
                              "headgate capture -d 10.20.0.7 --output csv --columns source,destination,bytes",
                          });
}

}  // namespace headgate::cli
