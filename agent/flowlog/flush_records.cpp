// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/flush_records.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "files/append_file.h"
#include "flowlog/ended_flow_filter.h"
#include "flowlog/record_file.h"
#include "flowlog/record_reader.h"
#include "flowlog/record_text.h"

namespace headgate::flowlog {
namespace {

/// Records are not strictly ordered by time.
constexpr std::chrono::minutes kBefore{1};

/// The search stops after this many older records in a row: one written late, after a restart, may follow newer ones.
constexpr std::size_t kOlderInARow = 10'000;

/// Builds the records of one operation, which share endpoint and note.
class Records {
  public:
    Records(const FlowOperation& operation, const Moment& moment)
        : endpoint_(std::make_shared<const Endpoint>(operation.endpoint)),
          note_(std::make_shared<const FlushAttribution>(
              FlushAttribution{operation.id, operation.caller.name(), operation.stream_exception_policy})),
          moment_(moment) {}

    void add(const Flow& flow, std::optional<EndReason> reason) {
        flows_.push_back({flow, flow.stopped.value_or(moment_.now), moment_.up, reason, endpoint_, note_, nullptr});
    }

    [[nodiscard]] std::vector<EndedFlow> flows() && { return std::move(flows_); }

  private:
    std::shared_ptr<const Endpoint> endpoint_;
    std::shared_ptr<const FlushAttribution> note_;
    Moment moment_;
    std::vector<EndedFlow> flows_;
};

Moment now_by(const headgate::Clock& clock) {
    return {.now = clock.now(), .up = std::chrono::floor<std::chrono::seconds>(clock.up())};
}

Moment end_of(const FlowOperation& operation) {
    auto moment = moment_of(operation);
    moment.now += operation.duration;
    if (moment.up) *moment.up += std::chrono::floor<std::chrono::seconds>(operation.duration);
    return moment;
}

/// The `flow_id` of the last record of a flow that the operation flushed; absent if there is none. Reads both formats.
/// Searches back to records of flows that ended before `since`. Missing: the file does not exist.
Result<std::optional<std::uint64_t>> last_logged_flow(const std::filesystem::path& file,
                                                      const std::string& operation_id, Timestamp since) {
    ASSIGN_OR_RETURN(auto records, RecordFile::open(file));
    EndedFlowFilter its;
    its.operation_id = operation_id;
    EndedFlowFilter recent;
    recent.since = since;
    std::optional<std::uint64_t> last;
    std::size_t older = 0;
    const auto pass = [&](std::string_view line) {
        const auto read = parse_record(line);
        if (!read || !*read) return;
        const auto& flow = **read;
        older = recent.matches(flow) ? 0 : older + 1;
        if (flow.reason == EndReason::Flushed && its.matches(flow)) last = flow.flow_id;
    };
    RETURN_IF_ERROR(records.go_back([&] { return !last && older < kOlderInARow; }, pass));
    // If the process was killed, only the newline may be missing: the next writer adds it.
    if (is_whole_object(records.unended())) pass(records.unended());
    return last;
}

/// The last flow with a record in the log file, or in the one that logrotate may have made of it.
Result<std::optional<std::uint64_t>> last_logged(const FlowOperation& operation, const config::FlowLog& settings) {
    const auto file = settings.first_file();
    if (!file) return std::nullopt;
    for (const auto* rotated : {"", ".1"}) {
        auto last = last_logged_flow(file->native() + rotated, operation.id, operation.requested_at - kBefore);
        if (!last && last.error().kind == ErrorKind::Missing) continue;
        if (!last || *last) return last;
    }
    return std::nullopt;
}

/// How many of the operation's flows, in the store's order, have a record if there is one: records are written in the
/// same order.
Result<std::uint64_t> count_logged(OperationStore& store, const FlowOperation& operation,
                                   const config::FlowLog& settings) {
    ASSIGN_OR_RETURN(const auto last, last_logged(operation, settings));
    std::uint64_t read = 0;
    std::uint64_t logged = 0;
    if (!last) return logged;
    RETURN_IF_ERROR(store.for_each_flow(operation.id, 0, [&](std::span<const FlowRow> flows) -> Result<void> {
        for (const auto& each : flows) {
            ++read;
            // The first one: an id of a flow without a time stamp may come twice, and a record twice is better than
            // none.
            const bool may_be_logged = logged == 0 && each.outcome != Outcome::Protected;
            if (may_be_logged && flow_id(each.flow) == *last) logged = read;
        }
        return {};
    }));
    return logged;
}

}  // namespace

Result<void> FlushRecords::begins(const FlowOperation& operation) const {
    auto mark = UnwrittenMark::make(state_dir_, operation.id);
    if (!mark) return tl::unexpected(std::move(mark.error()).within("marking the flush for the flow log"));
    const std::lock_guard lock{mutex_};
    held_.insert_or_assign(operation.id, std::move(*mark));
    return {};
}

void FlushRecords::ended(const FlowOperation& operation) const {
    const std::lock_guard lock{mutex_};
    held_.erase(operation.id);
}

FlushRecords::Mark FlushRecords::mark_of(const FlowOperation& operation) const {
    const std::lock_guard lock{mutex_};
    const auto held = held_.find(operation.id);
    return held == held_.end() ? nullptr : held->second;
}

void FlushRecords::flushed(const FlowOperation& operation, std::span<const FlowRow> endings) const {
    Records records{operation, now_by(clock_)};
    for (const auto& each : endings)
        if (each.outcome == Outcome::Flushed) records.add(each.flow, EndReason::Flushed);
    log_.enqueue(std::move(records).flows(), mark_of(operation));
}

void FlushRecords::lost_sight_of(const FlowOperation& operation, std::span<const Flow> flows) const {
    Records records{operation, now_by(clock_)};
    for (const auto& flow : flows)
        records.add(flow, std::nullopt);
    log_.enqueue(std::move(records).flows());
}

Result<std::uint64_t> FlushRecords::make_up(OperationStore& store, const config::FlowLog& settings) const {
    if (!log_.has_sinks()) return 0;
    std::uint64_t made_up = 0;
    std::optional<Error> first;
    for (const auto& id : UnwrittenMark::all(state_dir_)) {
        auto more = make_up_for_marked(id, store, settings);
        if (!more && !first) first = std::move(more.error());
        made_up += more.value_or(0);
    }
    if (first) return tl::unexpected(std::move(*first));
    return made_up;
}

Result<std::uint64_t> FlushRecords::make_up_for_marked(const std::string& id, OperationStore& store,
                                                       const config::FlowLog& settings) const {
    ASSIGN_OR_RETURN(const auto operation, store.find(id));
    if (operation && operation->status == OperationStatus::InProgress) return 0;
    const auto mark = UnwrittenMark::adopt(state_dir_, id);
    if (!mark) {
        const auto kind = mark.error().kind;
        const bool done_by_another = kind == ErrorKind::Locked || kind == ErrorKind::Missing;
        return done_by_another ? Result<std::uint64_t>{0} : tl::unexpected(mark.error());
    }
    if (!operation) return 0;  // deleted by retention: its rows are gone
    auto made_up = make_up_for(*operation, *mark, store, settings);
    if (!made_up) (*mark)->given_up();
    return made_up;
}

Result<std::uint64_t> FlushRecords::make_up_for(const FlowOperation& operation, const Mark& mark, OperationStore& store,
                                                const config::FlowLog& settings) const {
    ASSIGN_OR_RETURN(const auto logged, count_logged(store, operation, settings));
    std::uint64_t made_up = 0;
    RETURN_IF_ERROR(store.for_each_flow(operation.id, logged, [&](std::span<const FlowRow> flows) -> Result<void> {
        Records records{operation, end_of(operation)};
        for (const auto& each : flows)
            if (each.outcome == Outcome::Flushed) records.add(each.flow, EndReason::Flushed);
        auto missing = std::move(records).flows();
        made_up += missing.size();
        if (!missing.empty()) log_.enqueue(std::move(missing), mark);
        return {};
    }));
    return made_up;
}

}  // namespace headgate::flowlog
