// SPDX-License-Identifier: GPL-2.0-or-later
#include <filesystem>
#include <memory>

#include "cli/arguments.h"
#include "cli/capture_file.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/flush_options.h"
#include "cli/interruption.h"
#include "cli/operation_follower.h"
#include "cli/output_arguments.h"
#include "cli/terminal.h"
#include "gateway/whole_operation_id.h"
#include "operations/flow_spool.h"

namespace headgate::cli {
namespace {

struct FlushArguments {
    FilterArguments filter;
    EndpointArguments endpoint;
    OutputArguments output{flow_columns()};
    std::optional<std::string> from_capture;
    FlushOptions options;
    SearchArguments search;

    void add_to(CLI::App& command) {
        filter.add_to(command);
        endpoint.add_to(command);
        output.add_to(command);
        OptionGroup own{command};
        own.add("--from-capture", "ID|FILE", from_capture,
                "end exactly the flows of this operation, or of the file that a capture was written to");
        options.add_to(own);
        search.add_to(command);
    }
};

/// The flows of a capture file. The file is read completely here, before anything is locked and while a signal still
/// ends the program at once.
Result<operations::RowSource> captured_flows(const std::string& path, const std::filesystem::path& spool_folder) {
    const auto spool = std::make_shared<operations::FlowSpool>(spool_folder);
    ASSIGN_OR_RETURN(const auto facts,
                     read_capture_file(path, [&](std::span<const FlowRow> rows) { return spool->append(rows); }));
    RETURN_IF_ERROR(spool->seal());
    if (!facts.is_whole) {
        warn(fmt::format("{} holds a part of its capture: picked from it, or cut short", path));
    }
    if (!facts.endpoint) {
        warn(
            fmt::format("{} does not name the endpoint of its capture: on another endpoint its flows are not found, "
                        "and are reported as gone",
                        path));
    }
    return [spool, endpoint = facts.endpoint](const auto& sink) {
        return spool->for_each_block(sink).map([&] { return endpoint; });
    };
}

Result<void> resolve_source(const FlushArguments& arguments, const std::filesystem::path& spool_folder,
                            gateway::OperationRequest& request) {
    if (!arguments.from_capture) {
        ASSIGN_OR_RETURN(auto query, arguments.filter.query());
        request.query = std::move(query);
        return {};
    }
    if (arguments.filter.given()) return invalid("--from-capture: the capture names the flows; no filter beside it");
    const auto& capture = *arguments.from_capture;
    std::error_code not_looked_up;
    if (gateway::is_short_id(capture) && std::filesystem::exists(capture, not_looked_up)) {
        return invalid("--from-capture: {0} names a file and may be an id: write ./{0} for the file, or the whole id",
                       capture);
    }
    if (gateway::is_operation_id(capture)) {
        request.from_operation = capture;
        return {};
    }
    return captured_flows(capture, spool_folder).map([&](operations::RowSource&& flows) {
        request.captured = std::move(flows);
    });
}

Result<gateway::OperationRequest> request_of(const GatewayArguments& gateway, const FlushArguments& arguments) {
    gateway::OperationRequest request;
    request.type = OperationType::Flush;
    request.endpoint = arguments.endpoint.name();
    request.caller = this_caller();
    request.no_fast_scan = arguments.search.no_fast_scan;
    // From the configuration of this command line: the agent may have loaded another one.
    ASSIGN_OR_RETURN(const auto configuration, gateway.load());
    RETURN_IF_ERROR(arguments.options.complete(request, configuration));
    RETURN_IF_ERROR(resolve_source(arguments, configuration.state_dir, request));
    return request;
}

Result<ExitCode> run_flush(const GatewayArguments& gateway_arguments, const FlushArguments& arguments, Writer& writer) {
    auto request = request_of(gateway_arguments, arguments);
    if (!request) return tl::unexpected(request.error());
    // Lasts from the flush until its results are printed and logged: a Ctrl-C that comes too late to cancel the flush
    // must not prevent that.
    std::optional<Interruption> interruption;
    ASSIGN_OR_RETURN(const auto gateway, open_for_flush(gateway_arguments, *request));
    const auto explain = arguments.search.explain ? Explain::Yes : Explain::No;
    if (arguments.options.asks()) request = confirmed(gateway->operations(), std::move(*request), explain);
    interruption.emplace();
    ASSIGN_OR_RETURN(const auto operation, request.and_then([&](const auto& agreed) {
        return run_operation(gateway->operations(), agreed, explain);
    }));
    OperationOutput output{writer};
    return conclude(gateway_arguments, gateway->operations(), operation, output);
}

}  // namespace

void add_flush_command(CommandTree& tree) {
    auto& command = tree.add(tree.app(), "flush", "End the flows that match a filter, in any state", run_flush);
    add_examples(command, {
                              "headgate flush -s 10.20.0.7 -p tcp --dry-run",
                              "headgate flush -s 10.20.0.7 -p tcp --stream-exception-policy reject",
                              "headgate flush --from-capture 4f7b2c1e --max-flows 100 --yes",
                          });
}

}  // namespace headgate::cli
