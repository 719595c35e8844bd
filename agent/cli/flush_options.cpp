// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/flush_options.h"

#include <algorithm>
#include <vector>

#include "base/printable.h"
#include "cli/flow_text.h"
#include "cli/interruption.h"
#include "cli/terminal.h"
#include "sessions/ssh_sessions.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kRowsInQuestion = 10;

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

}  // namespace

void FlushOptions::add_to(OptionGroup& group) {
    group.add("--max-flows", "N", maximum_flows, "refuse when more flows match");
    group.add("--stream-exception-policy", "NAME", stream_exception_policy,
              "have this policy in force before flows are ended; it stays in force");
    group.add_flag("--require-policy", require_policy,
                   "refuse when no policy would block the packets of flushed TCP flows");
    group.add_flag("--dry-run", dry_run, "show which flows would be ended, and end none");
    group.add_flag("--include-protected", include_protected,
                   "end protected flows, too: SSH sessions, and what the configuration protects");
    group.add_flag("--yes", yes, "do not ask");
}

bool FlushOptions::given() const {
    return maximum_flows || stream_exception_policy || require_policy || dry_run || include_protected || yes;
}

Result<void> FlushOptions::complete(gateway::OperationRequest& request,
                                    const config::Configuration& configuration) const {
    request.dry_run = dry_run;
    request.include_protected = include_protected;
    request.protected_filters = configuration.protected_filters;
    request.sessions = sessions::search_caller_sessions();
    request.stream_exception_policy = stream_exception_policy;
    request.require_policy = require_policy;
    ASSIGN_OR_RETURN(request.maximum_flows, parse_count("--max-flows", maximum_flows));
    return {};
}

Result<std::unique_ptr<gateway::Gateway>> open_for_flush(const GatewayArguments& arguments,
                                                         const gateway::OperationRequest& request) {
    const bool has_file = request.captured || is_path(request.stream_exception_policy.value_or(""));
    return has_file ? arguments.open_here() : arguments.open(request.endpoint);
}

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

}  // namespace headgate::cli
