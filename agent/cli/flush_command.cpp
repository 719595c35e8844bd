// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/printable.h"
#include "cli/arguments.h"
#include "cli/capture_file.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/flow_text.h"
#include "cli/interruption.h"
#include "cli/operation_follower.h"
#include "cli/output_arguments.h"
#include "cli/terminal.h"
#include "gateway/whole_operation_id.h"
#include "operations/flow_spool.h"
#include "sessions/ssh_sessions.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kRowsInQuestion = 10;

struct FlushArguments {
    FilterArguments filter;
    EndpointArguments endpoint;
    OutputArguments output{flow_columns()};
    std::optional<std::string> from_capture, maximum_flows, stream_exception_policy;
    bool require_policy = false;
    bool dry_run = false;
    bool include_protected = false;
    bool yes = false;
    SearchArguments search;

    void add_to(CLI::App& command) {
        filter.add_to(command);
        endpoint.add_to(command);
        output.add_to(command);
        OptionGroup own{command};
        own.add("--from-capture", "ID|FILE", from_capture,
                "end exactly the flows of this operation, or of the file that a capture was written to");
        own.add("--max-flows", "N", maximum_flows, "refuse when more flows match");
        own.add("--stream-exception-policy", "NAME", stream_exception_policy,
                "have this policy in force before flows are ended; it stays in force");
        own.add_flag("--require-policy", require_policy,
                     "refuse when no policy would block the packets of flushed TCP flows");
        own.add_flag("--dry-run", dry_run, "show which flows would be ended, and end none");
        own.add_flag("--include-protected", include_protected,
                     "end protected flows, too: SSH sessions, and what the configuration protects");
        own.add_flag("--yes", yes, "do not ask");
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
    request.dry_run = arguments.dry_run;
    request.include_protected = arguments.include_protected;
    // From the configuration of this command line: the agent may have loaded another one.
    ASSIGN_OR_RETURN(auto configuration, gateway.load());
    request.protected_filters = std::move(configuration.protected_filters);
    request.sessions = sessions::search_caller_sessions();
    request.stream_exception_policy = arguments.stream_exception_policy;
    request.require_policy = arguments.require_policy;
    request.no_fast_scan = arguments.search.no_fast_scan;
    ASSIGN_OR_RETURN(const auto maximum, parse_count("--max-flows", arguments.maximum_flows));
    request.maximum_flows = maximum;
    RETURN_IF_ERROR(resolve_source(arguments, configuration.state_dir, request));
    return request;
}

Result<std::vector<FlowRow>> first_flows(gateway::FlowOperations& operations, const std::string& id) {
    std::vector<FlowRow> first;
    auto read = operations.for_each_flow(id, 0, [&](std::span<const FlowRow> flows) -> Result<void> {
        const auto wanted = flows.first(std::min(flows.size(), kRowsInQuestion - first.size()));
        first.insert(first.end(), wanted.begin(), wanted.end());
        if (first.size() < kRowsInQuestion) return {};
        return make_error(ErrorKind::Cancelled, "the caller needs no further flow");
    });
    if (!read && read.error().kind != ErrorKind::Cancelled) return tl::unexpected(std::move(read.error()));
    return first;
}

void show_preview(const FlowOperation& preview, const std::vector<FlowRow>& first,
                  const gateway::OperationRequest& request) {
    for (const auto& each : first)
        write_to_stderr(
            fmt::format("  {}{}\n", one_line(each.flow), each.outcome == Outcome::Protected ? ", protected" : ""));
    if (preview.counts.matched > first.size()) {
        write_to_stderr(fmt::format("  ... and {} more\n", preview.counts.matched - first.size()));
    }
    if (preview.counts.protected_flows != 0) {
        write_to_stderr(fmt::format("{} left alone{}\n", plural(preview.counts.protected_flows, "protected flow"),
                                    as_printable(rules_text(preview.protected_by))));
    }
    write_to_stderr(fmt::format("stream exception policy: {}{}\n", as_printable(preview.stream_exception_policy),
                                request.stream_exception_policy ? ", which stays in force afterwards" : ""));
    for (const auto& warning : preview.warnings)
        write_to_stderr(fmt::format("warning: {}\n", as_printable(warning)));
}

/// A Ctrl-C at the question, or the end of the terminal, declines, too.
Result<Consent> ask_for_consent(gateway::FlowOperations& operations, const FlowOperation& preview,
                                const gateway::OperationRequest& request) {
    const auto doomed = would_be_flushed(preview);
    if (doomed == 0) return Consent::Given;
    if (!can_ask()) return Consent::NotAsked;
    const Interruption interruption;
    ASSIGN_OR_RETURN(const auto first, first_flows(operations, preview.id));
    show_preview(preview, first, request);
    return ask(fmt::format("Flush {}?", plural(doomed, "flow"))) ? Consent::Given : Consent::Declined;
}

/// Asks for confirmation after a dry run, before any change. The flush then ends exactly the flows of the dry run; or,
/// if the user does not agree, none, and the history shows why.
Result<gateway::OperationRequest> confirmed(gateway::FlowOperations& operations, gateway::OperationRequest request,
                                            Explain explain) {
    request.dry_run = true;
    ASSIGN_OR_RETURN(const auto preview, run_operation(operations, request, explain));
    if (preview.status != OperationStatus::Completed) return refused("{}", preview.detail);
    if (Interruption::requested()) {
        request.consent = Consent::Declined;
    } else {
        ASSIGN_OR_RETURN(request.consent, ask_for_consent(operations, preview, request));
    }
    request.dry_run = false;
    request.captured = nullptr;
    request.query = {};
    request.from_operation = preview.id;
    return request;
}

/// Files of policies and captures are read by this process, not by an agent.
Result<std::unique_ptr<gateway::Gateway>> open_gateway_of(const GatewayArguments& arguments,
                                                          const gateway::OperationRequest& request) {
    const bool has_file = request.captured || is_path(request.stream_exception_policy.value_or(""));
    return has_file ? arguments.open_here() : arguments.open(request.endpoint);
}

Result<ExitCode> run_flush(const GatewayArguments& gateway_arguments, const FlushArguments& arguments, Writer& writer) {
    auto request = request_of(gateway_arguments, arguments);
    if (!request) return tl::unexpected(request.error());
    // Lasts from the flush until its results are printed and logged: a Ctrl-C that comes too late to cancel the flush
    // must not prevent that.
    std::optional<Interruption> interruption;
    ASSIGN_OR_RETURN(const auto gateway, open_gateway_of(gateway_arguments, *request));
    const auto explain = arguments.search.explain ? Explain::Yes : Explain::No;
    if (!arguments.yes && !arguments.dry_run) request = confirmed(gateway->operations(), std::move(*request), explain);
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
