// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "base/error_kinds.h"
#include "operations/flow_spool.h"
#include "operations/flush_policy.h"
#include "operations/operation_lifecycle.h"
#include "operations/operation_work.h"
#include "operations/protection.h"

namespace headgate::operations {
namespace {

/// Rows per request to nf_tables and conntrack. A block, which is journaled as a whole, has many times as many.
constexpr std::size_t kRowsAtOnce = 256;

/// One flush with its two phases.
class Flush {
  public:
    Flush(const OperationRequest& request, const WorkPlace& place, FlowOperation& operation, WorkListener& listener)
        : request_(request),
          place_(place),
          table_(place.table),
          operation_(operation),
          listener_(listener),
          policy_(place, request),
          protection_(request) {}

    Result<void> run() {
        const auto inspected = policy_.inspect();
        operation_.stream_exception_policy = policy_.name_in_force();
        return inspected.and_then([&] { return request_.captured ? take_captured() : scan(); })
            .and_then([&] { return begin(); })
            .and_then([&] { return end_all(); });
    }

  private:
    Result<void> scan() {
        return scan_table(place_, operation_, listener_,
                          [this](std::span<const FlowRow> rows) { return identify(rows); });
    }

    Result<void> take_captured() {
        ASSIGN_OR_RETURN(const auto taken, request_.captured([&](std::span<const FlowRow> rows) {
            operation_.counts.scanned = matched_;
            return listener_.may_go_on().and_then([&] { return check_reach(rows); }).and_then([&] {
                return identify(rows);
            });
        }));
        if (taken) {
            RETURN_IF_ERROR(check_captured_on(*taken, operation_.endpoint, "the capture"));
        }
        operation_.counts.scanned = matched_;
        operation_.counts.matched = matched_;
        // Without a scan, one look-up proves that the table is accessible.
        const auto first = spool_.head().first(std::min<std::size_t>(spool_.head().size(), 1));
        return table_.look_up(first, [](const Flow&, Presence) {});
    }

    [[nodiscard]] Result<void> check_reach(std::span<const FlowRow> rows) const {
        const auto& zone = request_.query.zone;
        const auto stray =
            std::ranges::find_if(rows, [&](const FlowRow& row) { return zone && row.flow.zone != *zone; });
        if (stray == rows.end()) return {};
        return refused("a flow of conntrack zone {} was captured, and the endpoint is zone {}: nothing was flushed",
                       stray->flow.zone, *zone);
    }

    /// Adds rows to the spool, or only to the count beyond the permitted number.
    Result<void> identify(std::span<const FlowRow> rows) {
        matched_ += rows.size();
        for (const auto& row : rows) {
            if (protection_.count(row.flow)) {
                ++protected_;
                continue;
            }
            policy_.count(row.flow);
            if (request_.captured && !row.flow.started) ++without_start_;
        }
        return exceeds_maximum() ? Result<void>{} : spool_.append(rows);
    }

    Result<void> begin() {
        if (exceeds_maximum()) {
            return refused("{} flows match, more than --max-flows {}: nothing was flushed", matched_,
                           *request_.maximum_flows);
        }
        RETURN_IF_ERROR(spool_.seal());
        operation_.phase = OperationPhase::Flushing;
        const bool ends_none = matched_ == protected_;
        if (!ends_none) operation_.stream_exception_policy = policy_.name();
        operation_.protected_by = protection_.counts();
        operation_.warnings = warnings();
        RETURN_IF_ERROR(listener_.begun().and_then([&] { return check_ruleset(); }));
        if (operation_.dry_run || ends_none) return {};
        return enforce_policy();
    }

    /// Verdicts hold as long as the ruleset is the one by which the flows were judged. Afterwards this flush may change
    /// it itself, by its policy.
    [[nodiscard]] Result<void> check_ruleset() const {
        if (!request_.judged_generation) return {};
        if (place_.judge == nullptr) return failed("nothing judges flows here");
        ASSIGN_OR_RETURN(const auto now, place_.judge->generation_now());
        if (now == *request_.judged_generation) return {};
        return refused(
            "the ruleset has changed since the flows were judged, from generation {} to {}: nothing was flushed; "
            "judge them again",
            *request_.judged_generation, now);
    }

    Result<void> enforce_policy() {
        const auto enforced = policy_.enforce();
        auto result = enforced ? Result<void>{} : tl::unexpected(enforced.error());
        operation_.policy_applied = enforced && *enforced == Application::Done;
        if (request_.policy && (operation_.policy_applied || !enforced)) listener_.policy_applied(result);
        return result;
    }

    Result<void> end_all() {
        auto read = spool_.for_each_block([&](std::span<const FlowRow> rows) -> Result<void> {
            end_block(rows);
            return {};
        });
        if (!read) count_unread(read.error());
        if (!operation_.dry_run) policy_.conclude(operation_);
        operation_.warnings = warnings();
        if (!stopped_) return {};
        operation_.detail = stopped_->message;
        operation_.status_message = stopped_->kind == ErrorKind::TimedOut ? kOperationTimeout : kOperationError;
        return touched_ ? Result<void>{} : tl::unexpected(*stopped_);
    }

    void end_block(std::span<const FlowRow> rows) {
        std::vector<FlowRow> doomed;
        std::vector<FlowRow> spared;
        for (const auto& row : rows) {
            if (protection_.includes(row.flow)) {
                spared.push_back({row.flow, Outcome::Protected, 0, row.verdict});
            } else {
                doomed.push_back(row);
            }
        }
        leave_alone(spared);
        if (doomed.empty()) return;
        if (auto may = stopped_ ? Result<void>{} : listener_.may_go_on(); !may) stop(may.error());
        if (stopped_) return leave_alone(as_failed(doomed));
        operation_.dry_run ? preview(doomed) : end(doomed);
    }

    void end(std::span<const FlowRow> rows) {
        if (auto journaled = listener_.about_to_end(rows); !journaled) return give_up(rows, journaled.error());
        std::vector<FlowRow> endings;
        for (auto rest = rows; !rest.empty() && !stopped_;) {
            const auto some = rest.first(std::min(rest.size(), kRowsAtOnce));
            if (auto removed = remove(some, endings); !removed) stop(removed.error());
            rest = rest.subspan(some.size());
        }
        for (const auto& row : rows.subspan(endings.size()))
            endings.push_back({row.flow, Outcome::Failed, errno_of_failure(*stopped_)});
        for (const auto& ending : endings)
            count(operation_.counts, *ending.outcome);
        if (auto told = listener_.ended(endings); !told) stop(told.error());
    }

    /// Rows are remembered before they are ended, so that no packet slips through in between; flows that were not
    /// flushed after all are forgotten, so that their packets are not caught.
    Result<void> remove(std::span<const FlowRow> rows, std::vector<FlowRow>& endings) {
        const auto there = request_.captured ? still_there(rows) : std::vector<FlowRow>{rows.begin(), rows.end()};
        RETURN_IF_ERROR(policy_.remember(there));
        std::vector<FlowRow> survivors;
        auto next = there.begin();
        const auto first = endings.size();
        const auto confirm = [this](const Flow& flow) { return is_in_scope(flow); };
        auto removed = table_.remove(rows, confirm, [&](const FlowRow& ending) {
            const auto& row = rows[endings.size() - first];
            if (ending.outcome == Outcome::Flushed && ending.flow.started != row.flow.started) ++successors_;
            const bool remembered = next != there.end() && is_same(*next, row);
            if (remembered && ending.outcome != Outcome::Flushed) survivors.push_back(row);
            if (remembered) ++next;
            endings.push_back(ending);
        });
        policy_.forget(removed ? survivors : there);
        touched_ = touched_ || removed;
        return removed;
    }

    /// For flows captured earlier, with their timeouts of now. A missing one may have been remembered by the flush that
    /// ended it, which must not be undone here; and packets of its successor must not be caught.
    std::vector<FlowRow> still_there(std::span<const FlowRow> rows) {
        std::vector<FlowRow> there;
        std::size_t index = 0;
        const auto looked = table_.look_up(rows, [&](const Flow& flow, Presence presence) {
            if (presence == Presence::There) there.emplace_back(rows[index]).flow.timeout = flow.timeout;
            ++index;
        });
        return looked ? there : std::vector<FlowRow>{rows.begin(), rows.end()};
    }

    /// Whether the whole query matches the flow as it is now. Captured flows are ended whatever has become of them.
    [[nodiscard]] bool is_in_scope(const Flow& flow) const {
        return request_.captured || judge(operation_.query, flow, place_.moment) == Verdict::Match;
    }

    static bool is_same(const FlowRow& a, const FlowRow& b) {
        return a.flow.id == b.flow.id && a.flow.original == b.flow.original && a.flow.zone == b.flow.zone;
    }

    void preview(std::span<const FlowRow> rows) {
        std::vector<FlowRow> found;
        auto looked = table_.look_up(rows, [&](const Flow& flow, Presence presence) {
            const bool gone = presence == Presence::Gone || !is_in_scope(flow);
            found.push_back({flow, gone ? std::optional{Outcome::Gone} : std::nullopt, 0, rows[found.size()].verdict});
        });
        if (!looked) return give_up(rows, looked.error());
        touched_ = true;
        leave_alone(found);
    }

    void give_up(std::span<const FlowRow> rows, const Error& error) {
        stop(error);
        leave_alone(as_failed(rows));
    }

    void stop(const Error& error) {
        if (!stopped_) stopped_ = error;
    }

    [[nodiscard]] std::vector<FlowRow> as_failed(std::span<const FlowRow> rows) const {
        std::vector<FlowRow> flows;
        for (const auto& row : rows)
            flows.push_back({row.flow, Outcome::Failed, errno_of_failure(*stopped_), row.verdict});
        return flows;
    }

    void leave_alone(std::span<const FlowRow> flows) {
        if (flows.empty()) return;
        for (const auto& each : flows)
            if (each.outcome) count(operation_.counts, *each.outcome);
        if (auto told = listener_.left_alone(flows); !told) stop(told.error());
    }

    [[nodiscard]] std::vector<std::string> warnings() const {
        auto warnings = policy_.warnings();
        protection_.append_warnings(warnings);
        if (without_start_ != 0) {
            warnings.push_back(fmt::format(
                "{} captured flow{} no time stamp (net.netfilter.nf_conntrack_timestamp was 0): one made anew "
                "with the same addresses and ports may have the same id, and cannot be distinguished",
                without_start_, without_start_ == 1 ? " has" : "s have"));
        }
        if (successors_ != 0) {
            warnings.push_back(fmt::format(
                "{} flow{} replaced, by one with the same addresses and ports, in the instant before being ended: the "
                "younger one was ended, and is listed instead",
                successors_, successors_ == 1 ? " was" : "s were"));
        }
        return warnings;
    }

    /// Flows of unreadable rows still exist; their number is known.
    void count_unread(const Error& error) {
        auto& counts = operation_.counts;
        const auto told = counts.flushed + counts.gone + counts.failed + counts.protected_flows;
        counts.failed += counts.matched - std::min(counts.matched, told);
        stop(error);
    }

    [[nodiscard]] bool exceeds_maximum() const { return request_.maximum_flows && matched_ > *request_.maximum_flows; }

    const OperationRequest& request_;
    const WorkPlace& place_;
    FlowTable& table_;
    FlowOperation& operation_;
    WorkListener& listener_;
    FlushPolicy policy_;
    Protection protection_;
    FlowSpool spool_{place_.spool_folder};
    std::optional<Error> stopped_;  ///< why the remaining flows were spared
    bool touched_ = false;          ///< whether any deletion or look-up was performed
    std::uint64_t without_start_ = 0;
    std::uint64_t successors_ = 0;  ///< flows that were ended although they were not found, but replaced those
    std::uint64_t matched_ = 0;
    std::uint64_t protected_ = 0;
};

}  // namespace

Result<void> run_flush(const OperationRequest& request, const WorkPlace& place, FlowOperation& operation,
                       WorkListener& listener) {
    return Flush{request, place, operation, listener}.run();
}

}  // namespace headgate::operations
