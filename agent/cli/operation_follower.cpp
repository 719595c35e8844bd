// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/operation_follower.h"

#include <cerrno>
#include <utility>

#include "cli/flow_text.h"
#include "cli/interruption.h"
#include "cli/terminal.h"

namespace headgate::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 50ms;  // between two reads of an operation in progress

void show(Progress& progress, const FlowOperation& operation) {
    const auto& counts = operation.counts;
    if (operation.phase == OperationPhase::Judging) {
        std::uint64_t judged = 0;
        for (const auto& each : counts.verdicts)
            judged += each.value_or(0);
        progress.show("flows judged:", judged);
    } else if (operation.phase == OperationPhase::Identifying || operation.dry_run) {
        progress.show("flows looked at:", counts.scanned);
    } else {
        progress.show("flows ended:", counts.flushed + counts.gone + counts.failed);
    }
}

/// Returns when the operation has ended. The first Ctrl-C cancels it, after which it ends by itself.
Result<FlowOperation> follow(gateway::FlowOperations& operations, const std::string& id, OperationOutput* output) {
    Progress progress;
    for (bool cancelled = false;;) {
        auto operation = operations.wait(id, kPatience);
        if (!operation || operation->status != OperationStatus::InProgress) {
            progress.clear();
            return operation;
        }
        if (output != nullptr && kind_of(operation->type).has_early_flows) output->write_flows(operations, *operation);
        show(progress, *operation);
        if (cancelled || !Interruption::requested()) continue;
        cancelled = true;
        RETURN_IF_ERROR(operations.cancel(id));
    }
}

/// ` --firewall edge --availability-zone a`
std::string options_of(const Endpoint& endpoint) {
    return endpoint.network_namespace.empty()
               ? fmt::format(" --firewall {} --availability-zone {}", endpoint.firewall, endpoint.availability_zone)
               : fmt::format(" --netns {}", endpoint.network_namespace);
}

void tell_caveats(const FlowOperation& operation) {
    for (const auto& warning : operation.warnings)
        warn(warning);
    const auto& counts = operation.counts;
    if (counts.age_unknown != 0) {
        warn(
            fmt::format("{} left out, whose age is not known: made before net.netfilter.nf_conntrack_timestamp "
                        "was 1, or stamped by a clock that was wrong",
                        plural(counts.age_unknown, "flow")));
    }
    if (counts.bytes_unknown != 0) {
        warn(
            fmt::format("{} left out: made before net.netfilter.nf_conntrack_acct was 1, so the kernel did "
                        "not count bytes and packets",
                        plural(counts.bytes_unknown, "flow")));
    }
    if (operation.restarts != 0) {
        note(fmt::format("the table was resized during the scan, which was repeated {}",
                         plural(operation.restarts, "time")));
    }
    if (counts.protected_flows != 0) {
        const auto what = counts.protected_flows == counts.matched
                              ? std::string{"every flow that matched is protected"}
                              : fmt::format("{} left alone", plural(counts.protected_flows, "protected flow"));
        note(fmt::format("{} (--include-protected ends them too){}", what, rules_text(operation.protected_by)));
    }
    if (operation.policy_applied) {
        note(
            fmt::format("policy {0} was put in force by this flush, and stays in force: headgate policy remove{1} "
                        "removes it",
                        operation.stream_exception_policy, options_of(operation.endpoint)));
    }
    if (!operation.detail.empty()) note(operation.detail);
}

/// Where nothing was found, so that the wrong place does not look like nothing.
void tell_place(const FlowOperation& operation, const std::string& place) {
    note(fmt::format("searched: {}{}", place,
                     operation.empty_table
                         ? "; its flow table is empty, and connection tracking may be off there: the kernel turns "
                           "it on in a network namespace for rules that use it, such as ct state"
                         : ""));
}

}  // namespace

Result<FlowOperation> run_operation(gateway::FlowOperations& operations, const gateway::OperationRequest& request,
                                    Explain explain, OperationOutput* output) {
    const Interruption interruption;
    const auto started = operations.start(request);
    if (!started) return tl::unexpected(about_argument(started.error()));
    auto operation = follow(operations, started->id, output);
    if (!operation) {
        operation.error().message += fmt::format(
            "; operation {0} had begun, and what became of it is not known here: headgate operations show {0}",
            started->id);
        return operation;
    }
    if (explain == Explain::Yes && !operation->plan.empty()) note(fmt::format("plan: {}", operation->plan));
    const bool has_failed = operation->status == OperationStatus::Failed && operation->counts.matched == 0;
    if (!operation->refused && !has_failed) return operation;
    return tl::unexpected(Error{operation->refused ? ErrorKind::Refused : ErrorKind::Failed,
                                fmt::format("{} (operation {})", operation->detail, operation->id)});
}

Result<ExitCode> conclude(const GatewayArguments& arguments, gateway::FlowOperations& operations,
                          const FlowOperation& operation, OperationOutput& output) {
    const auto written = output.finish(operations, operation);
    tell_caveats(operation);
    if (operation.counts.matched == 0) tell_place(operation, arguments.describe(operation.endpoint));
    if (!output.has_keys()) note(fmt::format("operation {}", operation.id));
    if (!written) return tl::unexpected(written.error());
    return exit_code(operation);
}

}  // namespace headgate::cli
