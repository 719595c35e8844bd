// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "operations/operation_lifecycle.h"
#include "operations/operation_work.h"
#include "operations/running_operation.h"
#include "operations/state_error.h"

namespace headgate::operations {
namespace {

/// How often wait() polls an operation of another process.
constexpr std::chrono::milliseconds kLookInterval{50};

tl::unexpected<Error> unknown(std::string_view id) {
    return not_found("operation {} does not exist, or was removed", id);
}

FlowOperation operation_of(const OperationRequest& request, const Clock& clock) {
    auto operation = new_operation(clock, request, request.endpoint.as_endpoint());
    operation.asked = request.asked;
    return operation;
}

bool is_same_request(const OperationRequest& request, const FlowOperation& known) {
    FlowRequest earlier = known;
    earlier.caller = request.caller;                                     // is compared by itself
    if (!request.from_operation.empty()) earlier.query = request.query;  // was replaced by the capture's
    return request.endpoint.as_endpoint() == known.endpoint && static_cast<const FlowRequest&>(request) == earlier;
}

/// Whether a flush of what another operation found ends this flow, if it is still there: of judged flows those that are
/// refused, and translated ones if requested.
bool is_to_end(const FlowRow& row, const FlowRequest& request) {
    if (row.outcome == Outcome::Gone) return false;
    return !row.verdict || row.verdict.is(VerdictResult::Refused) ||
           (request.include_translated && row.verdict.is(VerdictResult::Translated));
}

tl::unexpected<Error> without_consent(const FlowOperation& operation) {
    if (operation.consent == Consent::Declined) return refused("not confirmed: nothing was flushed");
    const auto matched = operation.counts.matched;
    return refused("{} {}; without a terminal to ask on, a flush requires --yes: nothing was flushed", matched,
                   matched == 1 ? "flow matches" : "flows match");
}

}  // namespace

Engine::Engine(OperationStore& store, const Clock& clock, AuditTrail& audit, EndpointOpener open,
               EngineSettings settings, OperationListener on_ended, const FlushListener& flushes)
    : store_(store),
      clock_(clock),
      audit_(audit),
      open_(std::move(open)),
      on_ended_(std::move(on_ended)),
      flushes_(flushes),
      state_dir_(settings.state_dir),
      settings_(std::move(settings)) {}

Engine::~Engine() {
    drain();
}

Result<FlowOperation> Engine::start(const OperationRequest& request) {
    join_ended();
    auto operation = operation_of(request, clock_);
    if (auto ready = audit_.ready(); !ready && !(only_looks(operation) && is_disk_fault(ready.error()))) {
        return tl::unexpected(std::move(ready.error()));
    }
    auto started = start_unrecorded(request, operation);
    if (started) return started;
    operation.id.clear();  // not stored, so the id would lead nowhere
    return refuse(std::move(operation), std::move(started.error()));
}

tl::unexpected<Error> Engine::refuse(FlowOperation operation, Error error) {
    if (operation.requested_at == Timestamp{}) operation.requested_at = clock_.now();
    close(operation, tl::unexpected(error));
    operation.refused = true;
    on_ended_(operation);
    if (auto recorded = audit_.record(operation); !recorded) error.message += "; " + recorded.error().message;
    return tl::unexpected(std::move(error));
}

Result<FlowOperation> Engine::start_unrecorded(const OperationRequest& request, FlowOperation& operation) {
    if (is_draining()) {
        return make_error(ErrorKind::Unavailable, "headgate is stopping: nothing was started; ask again in a moment");
    }
    if (!request.token.empty()) {
        ASSIGN_OR_RETURN(auto known, find_by_token(request.token));
        if (known) return answer_again(request, *known);
    }
    if (request.consent != Consent::Given) return keep_without_consent(request, operation);
    RETURN_IF_ERROR(leaves_room(operation));
    ASSIGN_OR_RETURN(auto lock, acquire_lock(operation));
    RETURN_IF_ERROR(make_ready(operation, lock.has_value()));
    return begin(request, operation, std::move(lock));
}

/// Needs neither the endpoint's lock nor its table: whoever else works there, the refusal is kept.
Result<FlowOperation> Engine::keep_without_consent(const OperationRequest& request, FlowOperation operation) {
    ASSIGN_OR_RETURN(const auto preview, find_source(operation));
    operation.counts = preview.counts;
    operation.counts.scanned = preview.counts.matched;  // as of any flush of flows that were found before
    operation.protected_by = preview.protected_by;
    // A dry run shows the policy that its flush would put in force.
    if (!request.policy) operation.stream_exception_policy = preview.stream_exception_policy;
    close(operation, without_consent(operation));
    ASSIGN_OR_RETURN(const auto store, begin_in_store(operation, request.token));
    warn_unless_recorded(operation.warnings, audit_.record(operation));
    RETURN_IF_ERROR(store->update(operation));
    on_ended_(operation);
    return operation;
}

/// Captures and dry runs use threads and memory, too: limits those of one caller.
Result<void> Engine::leaves_room(const FlowOperation& operation) {
    if (!only_looks(operation)) return {};
    const std::lock_guard lock{mutex_};
    const auto is_theirs = [&](const auto& each) {
        const auto other = each.second->snapshot();
        return other.status == OperationStatus::InProgress && only_looks(other) &&
               other.caller.is_same_as(operation.caller);
    };
    if (std::ranges::count_if(running_, is_theirs) < kMostOfOneCaller) return {};
    return busy(
        "busy: {} operations of the same caller are looking at flows, which is the most at once; ask again when one "
        "has ended",
        kMostOfOneCaller);
}

/// Nothing where the disk cannot be written and the operation needs no lock: captures and dry runs do not interfere.
Result<std::optional<EndpointLock>> Engine::acquire_lock(FlowOperation& operation) {
    auto lock =
        kind_of(operation.type).gives_way
            ? EndpointLock::acquire(state_dir_, operation)
            : EndpointLock::acquire_next(state_dir_, operation, settings().patience, [this] { return !is_draining(); });
    if (lock) return std::optional{std::move(*lock)};
    if (!only_looks(operation) || !is_disk_fault(lock.error())) return tl::unexpected(std::move(lock.error()));
    if (!runs_on(operation.endpoint)) {
        operation.warnings.push_back(not_kept(lock.error()));
        return std::nullopt;
    }
    return busy("busy: another operation is running on firewall {} in {}, and there is one operation at a time",
                operation.endpoint.firewall, operation.endpoint.availability_zone);
}

/// Recovers interrupted operations on the endpoint, and removes old ones.
Result<void> Engine::make_ready(FlowOperation& operation, bool may_recover) {
    const auto removed = (may_recover ? recover_interrupted_on(operation.endpoint) : Result<void>{}).and_then([&] {
        return remove_old();
    });
    if (!removed) {
        const bool may_go_on = only_looks(operation) && is_disk_fault(removed.error());
        return may_go_on ? Result<void>{} : tl::unexpected(removed.error());
    }
    if (*removed != 0) {
        operation.warnings.push_back(fmt::format("{} older operation{} removed before the time, to keep to disk_budget",
                                                 *removed, *removed == 1 ? " was" : "s were"));
    }
    return {};
}

Result<FlowOperation> Engine::begin(const OperationRequest& request, FlowOperation operation,
                                    std::optional<EndpointLock> lock) {
    ASSIGN_OR_RETURN(auto sourced, with_source(request, operation));
    ASSIGN_OR_RETURN(auto access, open_(operation.endpoint));
    // In the store, another process would take an operation without a lock for interrupted.
    const auto store = lock ? begin_in_store(operation, request.token) : begin_unkept(operation, request.token);
    if (!store) {
        if (store.error().kind != ErrorKind::Exists) return tl::unexpected(store.error());
        const auto other = find_by_token(request.token);  // a concurrent request with the token won
        return other && *other ? answer_again(request, **other) : tl::unexpected(store.error());
    }
    const auto bounds = settings();
    const RunSurroundings around{
        **store, unkept_, clock_, audit_, on_ended_, flushes_, state_dir_, bounds.disk_budget, bounds.timeout};
    auto running =
        std::make_shared<RunningOperation>(around, operation, std::move(access), std::move(sourced), std::move(lock));
    {
        // If a drain has just missed this operation, it still runs to its end: ~Engine waits for it.
        const std::lock_guard guard{mutex_};
        running_.emplace(operation.id, running);
    }
    running->start();
    // As it was at the start; except that it has failed already if no thread could be created.
    auto now = running->snapshot();
    return now.status == OperationStatus::Failed ? now : operation;
}

Result<OperationStore*> Engine::begin_in_store(FlowOperation& operation, const std::string& token) {
    auto begun = store_.begin(operation, token);
    if (begun) return &store_;
    if (!only_looks(operation) || !is_disk_fault(begun.error())) return tl::unexpected(std::move(begun.error()));
    operation.warnings.push_back(not_kept(begun.error()));
    return begin_unkept(operation, token);
}

Result<OperationStore*> Engine::begin_unkept(const FlowOperation& operation, const std::string& token) {
    return unkept_.begin(operation, token).map([&]() -> OperationStore* { return &unkept_; });
}

Result<std::optional<FlowOperation>> Engine::find_by_token(const std::string& token) {
    auto unkept = unkept_.find_by_token(token);
    return unkept && *unkept ? unkept : store_.find_by_token(token);
}

/// For an operation kept in memory, what was stored before is ignored.
OperationStore& Engine::store_of(std::string_view id) {
    return unkept_.has(id) ? static_cast<OperationStore&>(unkept_) : store_;
}

bool Engine::runs_on(const Endpoint& endpoint) {
    const std::lock_guard lock{mutex_};
    return std::ranges::any_of(running_, [&](const auto& each) {
        return !each.second->has_ended() && each.second->snapshot().endpoint == endpoint;
    });
}

bool Engine::is_draining() {
    const std::lock_guard lock{mutex_};
    return draining_;
}

/// Answers a repeated request with the first one's operation, if the requests are identical.
Result<FlowOperation> Engine::answer_again(const OperationRequest& request, const FlowOperation& known) {
    // Records of an earlier version lack the request's text: only the operation's own members can be compared.
    const bool is_theirs = known.caller.is_same_as(request.caller);
    const bool is_same = known.asked.empty() ? is_same_request(request, known) : request.asked == known.asked;
    if (!is_theirs || !is_same) {
        return refused("operation {} was asked for by the same token, and was something else: nothing was started",
                       known.id);
    }
    ASSIGN_OR_RETURN(auto current, find(known.id));
    warn_unless_recorded(current.warnings, audit_.record(current));
    return current;
}

/// The operation that found the flows; its query becomes that of the flush.
Result<FlowOperation> Engine::find_source(FlowOperation& operation) {
    const auto& id = operation.from_operation;
    ASSIGN_OR_RETURN(auto source, store_of(id).find(id));
    if (!source) return unknown(id);
    if (!only_looks(*source)) {
        return refused("operation {} is a {} itself: nothing was flushed", id, kind_of(source->type).verb);
    }
    if (source->status != OperationStatus::Completed && source->status != OperationStatus::CompletedWithErrors) {
        return refused("operation {} is {}: nothing was flushed", id, to_string(source->status));
    }
    RETURN_IF_ERROR(check_captured_on(source->endpoint, operation.endpoint, "operation " + id));
    if (source->ruleset && source->ruleset->source == RulesetSource::Candidate) {
        return refused(
            "operation {} judged the flows by a candidate for the ruleset: nothing was flushed; load the candidate, "
            "and "
            "judge them again",
            id);
    }
    if (operation.include_translated && !source->ruleset) {
        return invalid("include-translated: operation {} is a {}, whose flows have no verdicts", id,
                       kind_of(source->type).verb);
    }
    operation.query = source->query;
    operation.ruleset = source->ruleset;
    operation.counts.verdicts = source->counts.verdicts;
    operation.refused_by = source->refused_by;
    operation.unknown_reasons = source->unknown_reasons;
    return std::move(*source);
}

/// The request with the flows that another operation has found, if it names one.
Result<OperationRequest> Engine::with_source(OperationRequest request, FlowOperation& operation) {
    const auto id = request.from_operation;
    if (id.empty()) return request;
    ASSIGN_OR_RETURN(const auto source, find_source(operation));
    if (source.ruleset) request.judged_generation = source.ruleset->generation;
    request.captured = [this, id, endpoint = source.endpoint,
                        flush = static_cast<const FlowRequest&>(request)](const auto& sink) {
        const StoredFlowSink pass_on = [&](std::span<const FlowRow> flows) {
            std::vector<FlowRow> rows;
            for (const auto& each : flows)
                if (is_to_end(each, flush)) rows.push_back({each.flow, {}, 0, each.verdict});
            return sink(rows);
        };
        return for_each_flow(id, 0, pass_on).map([&] { return std::optional{endpoint}; });
    };
    return request;
}

Result<FlowOperation> Engine::find(std::string_view id) {
    if (const auto here = running(id)) return here->snapshot();
    ASSIGN_OR_RETURN(auto found, store_of(id).find(id));
    if (!found) return unknown(id);
    return std::move(*found);
}

Result<FlowOperation> Engine::wait(std::string_view id, std::chrono::milliseconds at_most) {
    if (const auto here = running(id)) return here->wait(at_most);
    // Another process runs it, and stores its progress.
    for (const auto until = std::chrono::steady_clock::now() + at_most;;) {
        auto found = find(id);
        const bool ended = !found || found->status != OperationStatus::InProgress;
        if (ended || std::chrono::steady_clock::now() >= until) return found;
        std::this_thread::sleep_for(kLookInterval);
    }
}

Result<void> Engine::cancel(std::string_view id) {
    if (const auto here = running(id)) {
        here->cancel();
        return {};
    }
    ASSIGN_OR_RETURN(const auto found, find(id));
    if (found.status != OperationStatus::InProgress) return {};
    return refused("operation {} is run by another process", id);
}

Result<void> Engine::for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) {
    return store_of(id).for_each_block(id, first, sink);
}

/// Operations kept in memory come first: they are of this process, thus recent.
Result<std::vector<FlowOperation>> Engine::list(const OperationSelection& selection) {
    auto listed = unkept_.list(selection);
    auto rest = selection;
    if (unkept_.has(selection.before_id)) rest.before_id.clear();
    rest.at_most -= std::min(rest.at_most, listed->size());
    const auto wanted = rest.at_most;
    rest.at_most += UnkeptStore::kMostOperations;  // operations moved to memory are in both
    ASSIGN_OR_RETURN(auto kept, store_.list(rest));
    std::erase_if(kept, [this](const auto& each) { return unkept_.has(each.id); });
    if (kept.size() > wanted) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(wanted), kept.end());
    std::ranges::move(kept, std::back_inserter(*listed));
    for (auto& operation : *listed)
        if (const auto here = running(operation.id)) operation = here->snapshot();
    return listed;
}

void Engine::configure(const EngineSettings& settings) {
    const std::lock_guard lock{mutex_};
    settings_ = settings;
}

EngineSettings Engine::settings() {
    const std::lock_guard lock{mutex_};
    return settings_;
}

void Engine::begin_drain() {
    sweeping_.stop();
    const std::lock_guard lock{mutex_};
    draining_ = true;
}

bool Engine::is_drained() {
    join_ended();
    const std::lock_guard lock{mutex_};
    return running_.empty();
}

void Engine::drain() {
    begin_drain();
    for (;;) {
        std::shared_ptr<RunningOperation> next;
        {
            const std::lock_guard lock{mutex_};
            if (running_.empty()) return;
            next = running_.begin()->second;
        }
        while (!next->has_ended())
            static_cast<void>(next->wait(std::chrono::hours{1}));
        join_ended();
    }
}

std::shared_ptr<RunningOperation> Engine::running(std::string_view id) {
    const std::lock_guard lock{mutex_};
    const auto found = running_.find(id);
    return found == running_.end() ? nullptr : found->second;
}

void Engine::join_ended() {
    const std::lock_guard lock{mutex_};
    for (const auto& [id, running] : running_)
        if (running->is_left_open()) left_open_.insert(id);
    std::erase_if(running_, [](const auto& each) { return each.second->has_ended(); });
}

}  // namespace headgate::operations
