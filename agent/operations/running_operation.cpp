// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/running_operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "operations/capture.h"
#include "operations/operation_lifecycle.h"
#include "operations/state_error.h"
#include "threads/start_thread.h"

namespace headgate::operations {
namespace {

using namespace std::chrono_literals;

/// How often progress is stored for readers in other processes.
constexpr auto kReportInterval = 1s;

/// Maximum bytes of a flow in the store, including its outcome.
constexpr std::uint64_t kBytesPerFlow = 110;

/// Appends, so that the plan shows the first decision and what followed from it.
void add_plan(FlowOperation& operation, std::string_view plan) {
    operation.plan.append(operation.plan.empty() ? "" : "; ").append(plan);
}

/// Stores what a capture finds.
class CaptureRecorder final : public ScanListener {
  public:
    CaptureRecorder(RunningOperation& running, FlowOperation& operation) : running_(running), operation_(operation) {}

    void planned(std::string_view plan) override { add_plan(operation_, plan); }
    Result<void> progressed(std::uint64_t scanned) override {
        operation_.counts.scanned = scanned;
        return running_.check(operation_);
    }
    Result<void> matched(std::span<const FlowRow> rows) override {
        operation_.counts.matched += rows.size();
        return running_.keep(operation_, rows);
    }

  private:
    RunningOperation& running_;
    FlowOperation& operation_;
};

/// Keeps the journal of a flush.
class FlushRecorder final : public FlushObserver {
  public:
    FlushRecorder(RunningOperation& running, FlowOperation& operation) : running_(running), operation_(operation) {}

    void planned(std::string_view plan) override { add_plan(operation_, plan); }
    Result<void> progressed(std::uint64_t scanned) override {
        operation_.counts.scanned = scanned;
        return running_.check(operation_);
    }
    /// After a crash the store shows how many flows were to be ended.
    Result<void> begun(const FlowOperation& operation) override {
        running_.show(operation);
        auto ready =
            running_.make_room(operation.counts.matched).and_then([&] { return running_.store().update(operation); });
        if (!operation.dry_run) return ready.and_then([&] { return running_.flushes().begins(operation); });
        return !ready && is_disk_fault(ready.error()) ? Result<void>{} : ready;
    }
    Result<void> may_go_on() override { return running_.check(operation_); }
    Result<void> about_to_end(std::span<const FlowRow> rows) override {
        return running_.store().append_pending(operation_.id, rows).map([&](std::uint64_t block) { block_ = block; });
    }
    Result<void> ended(std::span<const FlowRow> endings) override {
        running_.show(operation_);
        auto recorded = running_.store().record_outcomes(operation_.id, block_, endings);
        if (!recorded) unrecorded_.assign(endings.begin(), endings.end());
        running_.flushes().flushed(operation_, endings);
        return recorded;
    }
    Result<void> left_alone(std::span<const StoredFlow> flows) override { return running_.keep(operation_, flows); }

    /// Retries to store the outcomes of the last block, whose first attempt failed.
    [[nodiscard]] Result<void> record_rest() {
        return unrecorded_.empty() ? Result<void>{}
                                   : running_.store().record_outcomes(operation_.id, block_, unrecorded_);
    }

  private:
    RunningOperation& running_;
    FlowOperation& operation_;
    std::uint64_t block_ = 0;
    std::vector<FlowRow> unrecorded_;
};

}  // namespace

RunningOperation::RunningOperation(RunSurroundings around, FlowOperation operation, EndpointAccess access,
                                   FlushRequest flush, std::optional<EndpointLock> lock)
    : around_(around),
      store_(&around.store),
      access_(std::move(access)),
      flush_(std::move(flush)),
      lock_(std::move(lock)),
      begun_(around.clock.steady_now()),
      next_report_(begun_ + kReportInterval),
      shown_(std::move(operation)) {}

RunningOperation::~RunningOperation() {
    if (worker_.joinable()) worker_.join();
}

void RunningOperation::start() {
    auto worker = start_thread(
        "the operation", [this] { run(); }, [this](Error fault) { cut_short(std::move(fault)); });
    if (worker) {
        worker_ = std::move(*worker);
        return;
    }
    auto ended = guarded([&]() -> Result<void> {
        auto operation = snapshot();
        end(operation, tl::unexpected(std::move(worker.error())));
        return {};
    });
    if (!ended) cut_short(std::move(ended.error()));
}

FlowOperation RunningOperation::snapshot() const {
    const std::lock_guard lock{mutex_};
    return shown_;
}

FlowOperation RunningOperation::wait(std::chrono::milliseconds at_most) const {
    std::unique_lock lock{mutex_};
    ended_.wait_for(lock, at_most, [&] { return shown_.status != OperationStatus::InProgress; });
    return shown_;
}

bool RunningOperation::has_ended() const {
    const std::lock_guard lock{mutex_};
    return shown_.status != OperationStatus::InProgress;
}

bool RunningOperation::is_left_open() const {
    const std::lock_guard lock{mutex_};
    return shown_.status != OperationStatus::InProgress && !is_written_ && !was_cut_;
}

void RunningOperation::show(const FlowOperation& operation) {
    const std::lock_guard lock{mutex_};
    shown_ = operation;
    shown_.warnings.insert(shown_.warnings.begin(), warnings_.begin(), warnings_.end());
    if (operation.status == OperationStatus::InProgress) shown_.duration = so_far();
}

Result<void> RunningOperation::may_go_on() const {
    if (cancelled_) {
        return tl::unexpected(
            Error{ErrorKind::Failed, "interrupted: what it had not come to was left alone", ECANCELED});
    }
    if (around_.clock.steady_now() >= begun_ + around_.timeout) {
        return tl::unexpected(Error{
            ErrorKind::Failed,
            fmt::format("the deadline of {} s was reached (operation_timeout): what it had not come to was left alone",
                        around_.timeout.count()),
            ETIMEDOUT});
    }
    return {};
}

Result<void> RunningOperation::check(const FlowOperation& operation) {
    RETURN_IF_ERROR(may_go_on());
    const auto now = around_.clock.steady_now();
    auto current = operation;
    current.duration = so_far();
    show(current);
    if (now < next_report_) return {};
    next_report_ = now + kReportInterval;
    RETURN_IF_ERROR(may_keep_endpoint(operation, now));
    auto reported = report(current);
    // On a disk fault, keep() meets the same error and moves the operation to memory.
    return !reported && may_go_unkept(operation, reported.error()) ? Result<void>{} : reported;
}

/// A waiting flush lets a short capture finish, but not a long one: viewers must not block operators.
Result<void> RunningOperation::may_keep_endpoint(const FlowOperation& operation,
                                                 std::chrono::steady_clock::time_point now) {
    const bool is_in_the_way = operation.type == OperationType::Capture && lock_ && lock_->is_waited_for();
    if (!is_in_the_way) waited_for_since_.reset();
    if (is_in_the_way && !waited_for_since_) waited_for_since_ = now;
    if (!waited_for_since_ || now - *waited_for_since_ < EndpointLock::kGrace) return {};
    return tl::unexpected(
        Error{ErrorKind::Failed,
              fmt::format("gave way to a flush that had waited for {} s: capture fewer flows, or later",
                          EndpointLock::kGrace.count()),
              EBUSY});
}

Result<void> RunningOperation::report(const FlowOperation& operation) const {
    // A flush has reserved its space before, and must not be interrupted half way for lack of it.
    const bool may_stop = operation.phase == OperationPhase::Identifying;
    return (may_stop ? keep_to_budget() : Result<void>{}).and_then([&] { return store().update(operation); });
}

bool RunningOperation::may_go_unkept(const FlowOperation& operation, const Error& why) const {
    return only_looks(operation) && is_disk_fault(why) && store_ != &around_.unkept;
}

Result<void> RunningOperation::keep(FlowOperation& operation, std::span<const StoredFlow> flows) {
    rows_told_ += flows.size();
    auto kept = store().append(operation.id, flows);
    if (kept || !may_go_unkept(operation, kept.error())) return kept;
    return go_on_unkept(operation, kept.error()).and_then([&](std::uint64_t moved) {
        // The store may have accepted a part of these.
        return store().append(operation.id, flows.last(std::min<std::uint64_t>(rows_told_ - moved, flows.size())));
    });
}

/// Moves the operation to memory, with those of its flows that the store has accepted; returns their number.
Result<std::uint64_t> RunningOperation::go_on_unkept(FlowOperation& operation, const Error& why) {
    std::uint64_t moved = 0;
    auto& unkept = around_.unkept;
    auto gone_on = unkept.begin(operation, {}).and_then([&] {
        return store().for_each_flow(operation.id, 0, [&](std::span<const StoredFlow> flows) {
            moved += flows.size();
            return unkept.append(operation.id, flows);
        });
    });
    if (!gone_on) {
        unkept.remove(operation.id);
        return tl::unexpected(std::move(gone_on.error()));
    }
    // The stored operation is completed. If that fails, too, it will be recovered as an interrupted one.
    auto left_behind = operation;
    close(left_behind, tl::unexpected(Error{ErrorKind::Failed, "its flows could not be kept: " + why.message}));
    static_cast<void>(store().update(left_behind));
    store_ = &unkept;
    warnings_.push_back(not_kept(why));
    return moved;
}

Result<void> RunningOperation::write_end(FlowOperation& operation) {
    auto written = store().update(operation);
    if (written || !may_go_unkept(operation, written.error())) return written;
    return go_on_unkept(operation, written.error()).and_then([&](std::uint64_t) {
        take_warnings(operation);
        return store().update(operation);
    });
}

Result<void> RunningOperation::make_room(std::uint64_t flows) const {
    const auto wanted = flows * kBytesPerFlow;
    if (wanted > around_.disk_budget) {
        return failed("{} flows take more than all operations may together (disk_budget: {} MiB): nothing was flushed",
                      flows, around_.disk_budget >> 20U);
    }
    return shrink_to(around_.disk_budget - wanted).and_then([&] { return store().ensure_room(flows); });
}

/// Also an error once the deadline has passed, which may be why no room was made.
Result<void> RunningOperation::shrink_to(std::uint64_t bytes) const {
    const auto removed = store().shrink_to(bytes, [this] { return may_go_on().has_value(); });
    return removed ? may_go_on() : tl::unexpected(removed.error());
}

std::chrono::milliseconds RunningOperation::so_far() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(around_.clock.steady_now() - begun_);
}

Result<void> RunningOperation::keep_to_budget() const {
    ASSIGN_OR_RETURN(const auto used, store().bytes_used());
    if (used <= around_.disk_budget) return {};
    RETURN_IF_ERROR(shrink_to(around_.disk_budget));
    ASSIGN_OR_RETURN(const auto left, store().bytes_used());
    if (left <= around_.disk_budget) return {};
    return failed("takes more than all operations may together (disk_budget: {} MiB)", around_.disk_budget >> 20U);
}

void RunningOperation::record(FlowOperation& operation) {
    if (auto recorded = around_.audit.record(operation); !recorded) {
        operation.warnings.push_back("not recorded: " + recorded.error().message);
    }
}

/// Each run reports its warnings anew.
void RunningOperation::take_warnings(FlowOperation& operation) {
    operation.warnings.insert(operation.warnings.begin(), warnings_.begin(), warnings_.end());
    warnings_.clear();
}

void RunningOperation::run() {
    auto operation = snapshot();
    warnings_ = std::exchange(operation.warnings, {});
    const auto worked = work(operation);
    end(operation, worked);
}

/// After an exception it is unknown what was stored and reported. In the store the operation is in progress, and will
/// be recovered like that of a killed process.
void RunningOperation::cut_short(Error fault) noexcept {
    access_ = {};
    lock_.reset();
    const std::lock_guard lock{mutex_};
    was_cut_ = true;
    shown_.status = OperationStatus::Failed;
    shown_.detail = std::move(fault.message);
    ended_.notify_all();
}

Result<void> RunningOperation::work(FlowOperation& operation) {
    auto moment = moment_of(operation);
    if (access_.timestamps_since) {
        // Not from the moment, which is in whole seconds: the result could be one too low.
        moment.timestamps_for =
            std::chrono::floor<std::chrono::seconds>(around_.clock.up() - *access_.timestamps_since);
    }
    if (operation.type == OperationType::Capture) {
        const auto policy = access_.ruleset->in_force();
        // Captures change nothing and need no policy: failure to read it is a warning.
        if (!policy && policy.error().number != EPERM) operation.warnings.push_back(policy.error().message);
        if (policy && *policy) operation.stream_exception_policy = (*policy)->name;
        CaptureRecorder recorder{*this, operation};
        return run_capture(*access_.table, moment, operation, recorder);
    }
    FlushRecorder recorder{*this, operation};
    auto run = run_flush(*access_.table, *access_.ruleset, moment, flush_, operation, recorder);
    is_written_ = recorder.record_rest();
    around_.flushes.ended(operation);
    return run;
}

void RunningOperation::end(FlowOperation& operation, const Result<void>& worked) {
    close(operation, worked);
    take_warnings(operation);
    operation.duration = so_far();
    // Audit trail first: if the process dies between the two, the operation is recorded twice rather than never.
    record(operation);
    if (is_written_) is_written_ = write_end(operation);
    if (!is_written_) {
        // In the store it is still in progress, and will be recovered as interrupted.
        const bool ended_some = operation.counts.flushed + operation.counts.gone != 0;
        operation.status = ended_some ? OperationStatus::CompletedWithErrors : OperationStatus::Failed;
        operation.status_message = kOperationError;
        operation.detail = fmt::format("its end could not be written: {}", is_written_.error().message);
        record(operation);
    }
    if (is_written_) around_.on_ended(operation);  // otherwise reported by the recovery
    access_ = {};
    lock_.reset();
    const std::lock_guard lock{mutex_};
    shown_ = operation;
    ended_.notify_all();
}

}  // namespace headgate::operations
