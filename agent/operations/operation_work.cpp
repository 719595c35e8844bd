// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/operation_work.h"

#include <fmt/format.h>

#include <array>

#include "operations/operation_lifecycle.h"

namespace headgate::operations {
namespace {

/// In the order of OperationType.
constexpr std::array kWorks{run_capture, run_flush, run_rematch};
static_assert(kWorks.size() == kNames<OperationType>.size());

class WorkScan final : public ScanListener {
  public:
    WorkScan(FlowOperation& operation, WorkListener& listener,
             const std::function<Result<void>(std::span<const FlowRow>)>& matched)
        : operation_(operation), listener_(listener), matched_(matched) {}

    /// Appends, so that the plan shows the first decision and what followed from it.
    void planned(std::string_view plan) override {
        operation_.plan.append(operation_.plan.empty() ? "" : "; ").append(plan);
    }
    Result<void> progressed(std::uint64_t scanned) override {
        operation_.counts.scanned = scanned;
        return listener_.may_go_on();
    }
    Result<void> matched(std::span<const FlowRow> rows) override { return matched_(rows); }

  private:
    FlowOperation& operation_;
    WorkListener& listener_;
    const std::function<Result<void>(std::span<const FlowRow>)>& matched_;
};

}  // namespace

OperationWork& work_of(OperationType type) {
    return *kWorks[static_cast<std::size_t>(type)];
}

Result<void> scan_table(const WorkPlace& place, FlowOperation& operation, WorkListener& listener,
                        const std::function<Result<void>(std::span<const FlowRow>)>& matched) {
    WorkScan scan{operation, listener, matched};
    ASSIGN_OR_RETURN(const auto report, place.table.scan(operation.query, place.moment, scan));
    count(operation, report);
    return {};
}

void name_policy(Ruleset& ruleset, FlowOperation& operation) {
    const auto policy = ruleset.in_force();
    if (!policy && policy.error().kind != ErrorKind::Unprivileged) operation.warnings.push_back(policy.error().message);
    if (policy && *policy) operation.stream_exception_policy = (*policy)->name;
}

Result<void> check_captured_on(const Endpoint& captured, const Endpoint& wanted, std::string_view what) {
    if (captured == wanted) return {};
    const auto text = [](const Endpoint& each) {
        return each.network_namespace.empty()
                   ? fmt::format("on firewall {} in {}", each.firewall, each.availability_zone)
                   : fmt::format("in network namespace {}", each.network_namespace);
    };
    return refused("{} was {}, and this flush is {}: nothing was flushed", what, text(captured), text(wanted));
}

}  // namespace headgate::operations
