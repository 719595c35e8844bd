#include "operations/flush.h"

#include <algorithm>

#include "operations/flow_spool.h"
#include "operations/operation_run.h"

namespace headgate::operations {
namespace {

/// One flush on its way through its two phases.
class Flush {
  public:
    Flush(FlowTable& table, const Clock& clock, const FlushRequest& request, FlushObserver& observer)
        : table_(table),
          request_(request),
          observer_(observer),
          run_(clock, OperationType::Flush, request.endpoint, request.query) {
        run_.operation().dry_run = request.dry_run;
        protection_.filters = request.protected_filters;
        protection_.side = MatchSide::Any;
        protection_.direction = MatchDirection::Both;
    }

    Result<FlowOperation> run() {
        if (auto identified = request_.captured ? take_captured() : scan(); !identified) {
            return tl::unexpected(std::move(identified.error()));
        }
        if (auto allowed = check_guards(); !allowed) return tl::unexpected(std::move(allowed.error()));
        observer_.begun(run_.operation());
        auto finished = spool_.for_each_block([&](std::span<const FlowRow> rows) { return end_block(rows); });
        if (!finished) stop_with(finished.error());
        return run_.finish();
    }

    /// A row for the spool, or only for the count once there are more than may be flushed.
    Result<void> identify(std::span<const FlowRow> rows) {
        matched_ += rows.size();
        protected_ += static_cast<std::uint64_t>(
            std::ranges::count_if(rows, [&](const FlowRow& row) { return is_protected(row.flow); }));
        return exceeds_maximum() ? Result<void>{} : spool_.append(rows);
    }

    FlushObserver& observer() noexcept { return observer_; }

  private:
    Result<void> scan();

    Result<void> take_captured() {
        auto taken = request_.captured([&](std::span<const FlowRow> rows) { return identify(rows); });
        run_.operation().counts.scanned = matched_;
        run_.operation().counts.matched = matched_;
        return taken;
    }

    Result<void> check_guards() {
        if (exceeds_maximum()) {
            return refused("{} flows match, more than --max-flows {}: nothing was flushed", matched_,
                           *request_.maximum_flows);
        }
        if (request_.dry_run || matched_ == protected_) return {};
        return observer_.confirm(FlushPreview{matched_, protected_, spool_.head()});
    }

    Result<void> end_block(std::span<const FlowRow> rows) {
        while (!rows.empty()) {
            const bool spared = is_protected(rows.front().flow);
            const auto border =
                std::ranges::find_if(rows, [&](const FlowRow& row) { return is_protected(row.flow) != spared; });
            const auto alike = rows.first(static_cast<std::size_t>(border - rows.begin()));
            if (auto done = spared ? spare(alike) : end_rows(alike); !done) return done;
            rows = rows.subspan(alike.size());
        }
        return {};
    }

    Result<void> spare(std::span<const FlowRow> rows) {
        for (const auto& row : rows)
            tell(FlowEnding{row.flow, Outcome::Protected, 0});
        return {};
    }

    Result<void> end_rows(std::span<const FlowRow> rows) {
        if (!request_.dry_run) {
            return table_.remove(rows, [&](const FlowEnding& ending) { tell(ending); });
        }
        for (const auto& row : rows)
            observer_.would_end(row.flow);
        return {};
    }

    void tell(const FlowEnding& ending) {
        run_.count(ending.outcome);
        observer_.ended(ending);
    }

    /// Something broke after the guards: rows that were not told by then are still there, and count as failed.
    void stop_with(const Error& error) {
        auto& counts = run_.operation().counts;
        const auto told = counts.flushed + counts.gone + counts.failed + counts.protected_flows;
        counts.failed += counts.matched - std::min(counts.matched, told);
        run_.operation().detail = error.message;
    }

    [[nodiscard]] bool is_protected(const Flow& flow) const {
        return matches_filters(protection_, flow.original, flow.reply);
    }
    [[nodiscard]] bool exceeds_maximum() const { return request_.maximum_flows && matched_ > *request_.maximum_flows; }

    FlowTable& table_;
    const FlushRequest& request_;
    FlushObserver& observer_;
    OperationRun run_;
    FlowQuery protection_;
    FlowSpool spool_;
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

Result<FlowOperation> run_flush(FlowTable& table, const Clock& clock, const FlushRequest& request,
                                FlushObserver& observer) {
    return Flush{table, clock, request, observer}.run();
}

}  // namespace headgate::operations
