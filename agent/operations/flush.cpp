#include "operations/flush.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <vector>

#include "operations/flow_spool.h"
#include "operations/operation_run.h"

namespace headgate::operations {
namespace {

/// One flush on its way through its two phases.
class Flush {
  public:
    Flush(FlowTable& table, Ruleset& ruleset, const Clock& clock, const FlushRequest& request, FlushObserver& observer)
        : table_(table),
          request_(request),
          observer_(observer),
          policy_(ruleset, table, request.policy),
          run_(clock, OperationType::Flush, request.endpoint, request.query) {
        run_.operation().dry_run = request.dry_run;
        protection_.filters = request.protected_filters;
        protection_.side = MatchSide::Any;
        protection_.direction = MatchDirection::Both;
    }

    Result<FlowOperation> run() {
        if (auto settled = policy_.settle(); !settled) return tl::unexpected(std::move(settled.error()));
        if (auto identified = request_.captured ? take_captured() : scan(); !identified) {
            return tl::unexpected(std::move(identified.error()));
        }
        if (auto allowed = check_guards(); !allowed) return tl::unexpected(std::move(allowed.error()));
        if (auto remembered = remember_all(); !remembered) return tl::unexpected(std::move(remembered.error()));
        run_.operation().stream_exception_policy = policy_.name();
        run_.operation().warnings = policy_.warnings();
        observer_.begun(run_.operation());
        auto finished = spool_.for_each_block([&](std::span<const FlowRow> rows) -> Result<void> {
            end_block(rows);
            return {};
        });
        if (!finished) count_unread(finished.error());
        policy_.conclude();
        run_.operation().warnings = policy_.warnings();
        if (stopped_) run_.operation().detail = stopped_->message;
        return run_.finish();
    }

    /// A row for the spool, or only for the count once there are more than may be flushed.
    Result<void> identify(std::span<const FlowRow> rows) {
        matched_ += rows.size();
        for (const auto& row : rows) {
            if (is_protected(row.flow)) {
                ++protected_;
            } else {
                policy_.count(row.flow);
            }
        }
        return exceeds_maximum() ? Result<void>{} : spool_.append(rows);
    }

    FlushObserver& observer() noexcept { return observer_; }

  private:
    Result<void> scan();

    Result<void> take_captured() {
        auto taken = request_.captured([&](std::span<const FlowRow> rows) { return identify(rows); });
        if (!taken) return taken;
        run_.operation().counts.scanned = matched_;
        run_.operation().counts.matched = matched_;
        // No scan has shown that the table can be asked at all: one look-up does.
        const auto first = spool_.head().first(std::min<std::size_t>(spool_.head().size(), 1));
        return table_.look_up(first, [](const Flow&, Presence) {});
    }

    Result<void> check_guards() {
        if (exceeds_maximum()) {
            return refused("{} flows match, more than --max-flows {}: nothing was flushed", matched_,
                           *request_.maximum_flows);
        }
        if (request_.dry_run || matched_ == protected_) return {};
        return observer_.confirm(FlushPreview{matched_, protected_, spool_.head(), policy_.name(), policy_.warnings()});
    }

    /// Before the first flow is ended, so that no packet of any comes in between.
    Result<void> remember_all() {
        if (request_.dry_run || matched_ == protected_) return {};
        if (auto enforced = policy_.enforce(); !enforced) return enforced;
        return spool_.for_each_block([&](std::span<const FlowRow> rows) {
            std::vector<FlowRow> doomed;
            std::ranges::copy_if(rows, std::back_inserter(doomed),
                                 [&](const FlowRow& row) { return !is_protected(row.flow); });
            return policy_.remember(doomed);
        });
    }

    void end_block(std::span<const FlowRow> rows) {
        while (!rows.empty()) {
            const bool spared = is_protected(rows.front().flow);
            const auto border =
                std::ranges::find_if(rows, [&](const FlowRow& row) { return is_protected(row.flow) != spared; });
            const auto alike = rows.first(static_cast<std::size_t>(border - rows.begin()));
            if (spared) {
                tell_all(alike, Outcome::Protected, 0);
            } else {
                end_rows(alike);
            }
            rows = rows.subspan(alike.size());
        }
    }

    void end_rows(std::span<const FlowRow> rows) {
        if (!stopped_ && observer_.stop_requested()) {
            stopped_ = Error{ErrorKind::Failed, "interrupted: the flows that failed were left alone", ECANCELED};
        }
        if (!stopped_) {
            if (auto done = request_.dry_run ? preview(rows) : remove(rows); !done) stopped_ = std::move(done.error());
            if (!stopped_) return;
        }
        if (!request_.dry_run) policy_.forget(rows);
        tell_all(rows, Outcome::Failed, stopped_->number != 0 ? stopped_->number : EIO);
    }

    /// What was not flushed after all is not to be caught as if it were.
    Result<void> remove(std::span<const FlowRow> rows) {
        std::vector<FlowRow> spared;
        std::size_t next = 0;
        auto removed = table_.remove(rows, [&](const FlowEnding& ending) {
            if (ending.outcome != Outcome::Flushed) spared.push_back(rows[next]);
            ++next;
            tell(ending);
        });
        policy_.forget(spared);
        return removed;
    }

    Result<void> preview(std::span<const FlowRow> rows) {
        return table_.look_up(rows, [&](const Flow& flow, Presence presence) {
            if (presence == Presence::There) {
                observer_.would_end(flow);
            } else {
                tell(FlowEnding{flow, Outcome::Gone, 0});
            }
        });
    }

    void tell_all(std::span<const FlowRow> rows, Outcome outcome, int error) {
        for (const auto& row : rows)
            tell(FlowEnding{row.flow, outcome, error});
    }

    void tell(const FlowEnding& ending) {
        run_.count(ending.outcome);
        observer_.ended(ending);
    }

    /// Rows that cannot be read back are still there; how many they are is known.
    void count_unread(const Error& error) {
        auto& counts = run_.operation().counts;
        const auto told = counts.flushed + counts.gone + counts.failed + counts.protected_flows;
        counts.failed += counts.matched - std::min(counts.matched, told);
        stopped_ = error;
    }

    [[nodiscard]] bool is_protected(const Flow& flow) const {
        return matches_filters(protection_, flow.original, flow.reply);
    }
    [[nodiscard]] bool exceeds_maximum() const { return request_.maximum_flows && matched_ > *request_.maximum_flows; }

    FlowTable& table_;
    const FlushRequest& request_;
    FlushObserver& observer_;
    FlushPolicy policy_;
    OperationRun run_;
    FlowQuery protection_;
    FlowSpool spool_;
    std::optional<Error> stopped_;  ///< why the rest was left alone
    std::uint64_t matched_ = 0;
    std::uint64_t protected_ = 0;
};

/// Hears the scan on behalf of a flush.
class Identification final : public ScanListener {
  public:
    explicit Identification(Flush& flush) : flush_(flush) {}
    void planned(std::string_view plan) override { flush_.observer().planned(plan); }
    Result<void> progressed(std::uint64_t scanned) override { return flush_.observer().progressed(scanned); }
    Result<void> matched(std::span<const FlowRow> rows) override { return flush_.identify(rows); }

  private:
    Flush& flush_;
};

Result<void> Flush::scan() {
    Identification identification{*this};
    const auto report = table_.scan(request_.query, run_.moment(), identification);
    if (!report) return tl::unexpected(report.error());
    run_.count(*report);
    return {};
}

}  // namespace

Result<FlowOperation> run_flush(FlowTable& table, Ruleset& ruleset, const Clock& clock, const FlushRequest& request,
                                FlushObserver& observer) {
    return Flush{table, ruleset, clock, request, observer}.run();
}

}  // namespace headgate::operations
