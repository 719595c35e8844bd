// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "operations/flow_spool.h"
#include "operations/operation_lifecycle.h"
#include "operations/operation_work.h"
#include "operations/verdict_tally.h"

namespace headgate::operations {
namespace {

/// One rematch: first the flows are found, then judged, in the spool's blocks of some thousand. So a slow judge does
/// not hold up the scan, and memory stays constant.
class Rematch {
  public:
    Rematch(const OperationRequest& request, const WorkPlace& place, FlowOperation& operation, WorkListener& listener)
        : request_(request), place_(place), operation_(operation), listener_(listener) {}

    Result<void> run() {
        return prepare().and_then([&] { return scan(); }).and_then([&] { return judge_all(); });
    }

  private:
    Result<void> prepare() {
        if (place_.judge == nullptr) return failed("nothing judges flows here");
        name_policy(place_.ruleset, operation_);
        tally_.update(operation_.counts);
        ASSIGN_OR_RETURN(auto ruleset, place_.judge->prepare(request_.ruleset_text));
        std::ranges::move(std::exchange(ruleset.warnings, {}), std::back_inserter(operation_.warnings));
        operation_.ruleset = std::move(ruleset);
        return listener_.may_go_on();
    }

    Result<void> scan() {
        RETURN_IF_ERROR(scan_table(place_, operation_, listener_, [this](std::span<const FlowRow> rows) {
            operation_.counts.matched += rows.size();
            return spool_.append(rows);
        }));
        return spool_.seal();
    }

    Result<void> judge_all() {
        operation_.phase = OperationPhase::Judging;
        RETURN_IF_ERROR(spool_.for_each_block([this](std::span<const FlowRow> rows) { return judge_block(rows); }));
        tally_.conclude(operation_);
        compare_generations();
        if (!stopped_) return {};
        operation_.detail = stopped_->message;
        operation_.status_message = stopped_->kind == ErrorKind::TimedOut ? kOperationTimeout : kOperationError;
        return {};
    }

    Result<void> judge_block(std::span<const FlowRow> rows) {
        auto verdicts = stopped_ ? unjudged(rows) : judge(rows);
        if (!verdicts) {
            if (!has_verdicts_) return tl::unexpected(std::move(verdicts.error()));
            stopped_ = std::move(verdicts.error());
            verdicts = unjudged(rows);
        }
        has_verdicts_ = true;
        std::vector<FlowRow> judged{rows.begin(), rows.end()};
        for (std::size_t i = 0; i < judged.size(); ++i)
            judged[i].verdict = tally_.count(judged[i].flow, std::move((*verdicts)[i]));
        tally_.update(operation_.counts);
        return listener_.left_alone(judged);
    }

    Result<std::vector<FlowVerdict>> judge(std::span<const FlowRow> rows) {
        RETURN_IF_ERROR(listener_.may_go_on());
        std::vector<Flow> flows;
        flows.reserve(rows.size());
        for (const auto& row : rows)
            flows.push_back(row.flow);
        ASSIGN_OR_RETURN(auto verdicts, place_.judge->judge(flows));
        if (verdicts.size() == flows.size()) return verdicts;
        return failed("the judge has {} verdicts for {} flows", verdicts.size(), flows.size());
    }

    /// After an error, which spares the flows that were not judged yet.
    [[nodiscard]] Result<std::vector<FlowVerdict>> unjudged(std::span<const FlowRow> rows) const {
        return std::vector(rows.size(), FlowVerdict{.reason = "not judged: " + stopped_->message});
    }

    void compare_generations() {
        const auto now = place_.judge->generation_now();
        const auto judged = operation_.ruleset->generation;
        if (!now) {
            operation_.warnings.push_back(
                fmt::format("whether the ruleset has changed meanwhile is not known: {}", now.error().message));
        } else if (*now != judged) {
            operation_.warnings.push_back(
                fmt::format("the ruleset has changed meanwhile: flows were judged by generation {}, and {} is in force",
                            judged, *now));
        }
    }

    const OperationRequest& request_;
    const WorkPlace& place_;
    FlowOperation& operation_;
    WorkListener& listener_;
    FlowSpool spool_{place_.spool_folder};
    VerdictTally tally_;
    std::optional<Error> stopped_;  ///< why the remaining flows were not judged
    bool has_verdicts_ = false;     ///< whether some were
};

}  // namespace

Result<void> run_rematch(const OperationRequest& request, const WorkPlace& place, FlowOperation& operation,
                         WorkListener& listener) {
    return Rematch{request, place, operation, listener}.run();
}

}  // namespace headgate::operations
