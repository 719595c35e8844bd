#include "cli/operation_follower.h"

#include <cerrno>
#include <utility>

#include "cli/gateway_arguments.h"
#include "cli/interruption.h"
#include "cli/terminal.h"

namespace headgate::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 50ms;  // between two looks at an operation that takes long

void show(Progress& progress, const FlowOperation& operation) {
    const auto& counts = operation.counts;
    if (operation.phase == OperationPhase::Identifying) {
        progress.show("flows looked at:", counts.scanned);
    } else {
        progress.show("flows ended:", counts.flushed + counts.gone + counts.failed);
    }
}

/// Until it has ended. Ctrl-C is passed on once; then it comes to its end by itself.
Result<FlowOperation> follow(gateway::Gateway& gateway, const std::string& id, OperationOutput* output) {
    Progress progress;
    for (bool cancelled = false;;) {
        auto operation = gateway.wait(id, kPatience);
        if (!operation || operation->status != OperationStatus::InProgress) {
            progress.clear();
            return operation;
        }
        if (output != nullptr && operation->type == OperationType::Capture) output->write_flows(gateway, *operation);
        show(progress, *operation);
        if (cancelled || !Interruption::requested()) continue;
        cancelled = true;
        if (auto passed_on = gateway.cancel(id); !passed_on) return tl::unexpected(std::move(passed_on.error()));
    }
}

std::string plural(std::uint64_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

Result<FlowOperation> run_operation(gateway::Gateway& gateway, const gateway::OperationOrder& order, Explain explain,
                                    OperationOutput* output) {
    const Interruption interruption;
    const auto started = gateway.start(order);
    if (!started) return tl::unexpected(about_argument(started.error()));
    auto operation = follow(gateway, started->id, output);
    if (!operation) {
        operation.error().message += fmt::format(
            "; operation {0} had begun, and what became of it is not known here: headgate operations show {0}",
            started->id);
        return operation;
    }
    if (explain == Explain::Yes && !operation->plan.empty()) tell(fmt::format("plan: {}", operation->plan));
    if (operation->refused) return tl::unexpected(Error{ErrorKind::Refused, operation->detail});
    if (operation->status == OperationStatus::Failed && operation->counts.matched == 0) {
        return tl::unexpected(Error{ErrorKind::Failed, operation->detail});
    }
    return operation;
}

Result<void> OperationOutput::begin(const FlowOperation& operation) {
    return std::exchange(begun_, true) ? Result<void>{} : writer_->begin(operation);
}

void OperationOutput::write_flows(gateway::Gateway& gateway, const FlowOperation& operation) {
    if (!written_) return;
    written_ = gateway.for_each_flow(operation.id, flows_, [&](std::span<const StoredFlow> flows) {
        auto told = begin(operation);
        for (const auto& each : flows)
            if (told) told = writer_->flow(each.flow, {each.outcome, each.error});
        flows_ += flows.size();
        return told;
    });
}

Result<void> OperationOutput::finish(gateway::Gateway& gateway, const FlowOperation& operation) {
    write_flows(gateway, operation);
    if (written_) written_ = begin(operation).and_then([&] { return writer_->end(operation); });
    if (written_ || written_.error().number == EPIPE) return {};  // or the reader has seen enough
    auto error = written_.error();
    error.message += fmt::format("; headgate operations results {} tells the flows again", operation.id);
    return tl::unexpected(std::move(error));
}

void tell_caveats(const FlowOperation& operation) {
    for (const auto& warning : operation.warnings)
        tell(fmt::format("warning: {}", warning));
    const auto& counts = operation.counts;
    if (counts.age_unknown != 0) {
        tell(fmt::format(
            "warning: {} left out, whose age is not known: made before net.netfilter.nf_conntrack_timestamp "
            "was 1, or stamped by a clock that was wrong",
            plural(counts.age_unknown, "flow")));
    }
    if (counts.bytes_unknown != 0) {
        tell(
            fmt::format("warning: {} left out: made before net.netfilter.nf_conntrack_acct was 1, so the kernel did "
                        "not count bytes and packets",
                        plural(counts.bytes_unknown, "flow")));
    }
    if (operation.restarts != 0) {
        tell(fmt::format("the table was resized during the scan, which was repeated {}",
                         plural(operation.restarts, "time")));
    }
    if (counts.protected_flows != 0) {
        tell(
            fmt::format("{} left alone: SSH sessions, or what the configuration protects (--include-protected ends "
                        "them too)",
                        plural(counts.protected_flows, "protected flow")));
    }
    if (!operation.detail.empty()) tell(operation.detail);
}

}  // namespace headgate::cli
