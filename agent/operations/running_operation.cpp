// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/running_operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

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

}  // namespace

RunningOperation::RunningOperation(RunSurroundings around, FlowOperation operation, EndpointAccess access,
                                   OperationRequest request, std::optional<EndpointLock> lock)
    : around_(around),
      store_(&around.store),
      operation_(std::move(operation)),
      access_(std::move(access)),
      request_(std::move(request)),
      lock_(std::move(lock)),
      begun_(around.clock.steady_now()),
      next_report_(begun_ + kReportInterval),
      shown_(operation_) {}

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
        end(tl::unexpected(std::move(worker.error())));
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

void RunningOperation::show() {
    const std::lock_guard lock{mutex_};
    shown_ = operation_;
    shown_.warnings.insert(shown_.warnings.begin(), warnings_.begin(), warnings_.end());
    shown_.duration = so_far();
}

Result<void> RunningOperation::check() const {
    if (cancelled_) {
        return make_error(ErrorKind::Cancelled, "interrupted: flows not yet processed were left alone");
    }
    if (around_.clock.steady_now() >= begun_ + around_.timeout) {
        return make_error(
            ErrorKind::TimedOut,
            "the deadline of {} s was reached (operation_timeout): flows not yet processed were left alone",
            around_.timeout.count());
    }
    return {};
}

Result<void> RunningOperation::may_go_on() {
    RETURN_IF_ERROR(check());
    operation_.duration = so_far();
    show();
    const auto now = around_.clock.steady_now();
    if (now < next_report_) return {};
    next_report_ = now + kReportInterval;
    RETURN_IF_ERROR(may_keep_endpoint(now));
    auto reported = report();
    // On a disk fault, left_alone() meets the same error and moves the operation to memory.
    return !reported && may_go_unkept(reported.error()) ? Result<void>{} : reported;
}

/// A waiting flush lets a short capture finish, but not a long one: viewers must not block operators.
Result<void> RunningOperation::may_keep_endpoint(std::chrono::steady_clock::time_point now) {
    const bool is_in_the_way = kind_of(operation_.type).gives_way && lock_ && lock_->is_waited_for();
    if (!is_in_the_way) waited_for_since_.reset();
    if (is_in_the_way && !waited_for_since_) waited_for_since_ = now;
    if (!waited_for_since_ || now - *waited_for_since_ < EndpointLock::kGrace) return {};
    return failed("gave way to a flush that had waited for {} s: {} fewer flows, or later",
                  EndpointLock::kGrace.count(), kind_of(operation_.type).verb);
}

Result<void> RunningOperation::report() const {
    // A flush has reserved its space before, and must not be interrupted half way for lack of it.
    const bool may_stop = operation_.phase != OperationPhase::Flushing;
    return (may_stop ? keep_to_budget() : Result<void>{}).and_then([&] { return store_->update(operation_); });
}

bool RunningOperation::may_go_unkept(const Error& why) const {
    return only_looks(operation_) && is_disk_fault(why) && store_ != &around_.unkept;
}

Result<void> RunningOperation::left_alone(std::span<const FlowRow> flows) {
    rows_reported_ += flows.size();
    auto kept = store_->append(operation_.id, flows);
    if (kept || !may_go_unkept(kept.error())) return kept;
    return go_on_unkept(kept.error()).and_then([&](std::uint64_t moved) {
        // The store may have accepted a part of these.
        return store_->append(operation_.id, flows.last(std::min<std::uint64_t>(rows_reported_ - moved, flows.size())));
    });
}

/// After a crash the store shows how many flows were to be ended.
Result<void> RunningOperation::begun() {
    show();
    auto ready = make_room(operation_.counts.matched).and_then([&] { return store_->update(operation_); });
    if (!only_looks(operation_)) return ready.and_then([&] { return around_.flushes.begins(operation_); });
    return !ready && is_disk_fault(ready.error()) ? Result<void>{} : ready;
}

void RunningOperation::policy_applied(const Result<void>& result) {
    const auto recorded = around_.audit.record({PolicyAction::Apply, operation_.stream_exception_policy,
                                                operation_.endpoint, operation_.caller, operation_.id},
                                               result);
    warn_unless_recorded(warnings_, recorded);
}

Result<void> RunningOperation::about_to_end(std::span<const FlowRow> rows) {
    return store_->append_pending(operation_.id, rows).map([&](std::uint64_t block) { block_ = block; });
}

Result<void> RunningOperation::ended(std::span<const FlowRow> endings) {
    show();
    auto recorded = store_->record_outcomes(operation_.id, block_, endings);
    if (!recorded) unrecorded_.assign(endings.begin(), endings.end());
    around_.flushes.flushed(operation_, endings);
    return recorded;
}

/// Moves the operation to memory, with those of its flows that the store has accepted; returns their number.
Result<std::uint64_t> RunningOperation::go_on_unkept(const Error& why) {
    std::uint64_t moved = 0;
    auto& unkept = around_.unkept;
    auto gone_on = unkept.begin(operation_, {}).and_then([&] {
        return store_->for_each_flow(operation_.id, 0, [&](std::span<const FlowRow> flows) {
            moved += flows.size();
            return unkept.append(operation_.id, flows);
        });
    });
    if (!gone_on) {
        unkept.remove(operation_.id);
        return tl::unexpected(std::move(gone_on.error()));
    }
    // The stored operation is completed. If that fails, too, it will be recovered as an interrupted one.
    auto left_behind = operation_;
    close(left_behind, tl::unexpected(Error{ErrorKind::Failed, "its flows could not be stored: " + why.message}));
    static_cast<void>(store_->update(left_behind));
    store_ = &unkept;
    warnings_.push_back(not_kept(why));
    return moved;
}

Result<void> RunningOperation::write_end() {
    auto written = store_->update(operation_);
    if (written || !may_go_unkept(written.error())) return written;
    return go_on_unkept(written.error()).and_then([&](std::uint64_t) {
        merge_warnings();
        return store_->update(operation_);
    });
}

Result<void> RunningOperation::make_room(std::uint64_t flows) const {
    const auto wanted = flows * kBytesPerFlow;
    if (wanted > around_.disk_budget) {
        return failed("{} flows take more than all operations may together (disk_budget: {} MiB): nothing was flushed",
                      flows, around_.disk_budget >> 20U);
    }
    return shrink_to(around_.disk_budget - wanted).and_then([&] { return store_->ensure_room(flows); });
}

/// Also an error once the deadline has passed, which may be why no room was made.
Result<void> RunningOperation::shrink_to(std::uint64_t bytes) const {
    const auto removed = store_->shrink_to(bytes, [this] { return check().has_value(); });
    return removed ? check() : tl::unexpected(removed.error());
}

std::chrono::milliseconds RunningOperation::so_far() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(around_.clock.steady_now() - begun_);
}

Result<void> RunningOperation::keep_to_budget() const {
    ASSIGN_OR_RETURN(const auto used, store_->bytes_used());
    if (used <= around_.disk_budget) return {};
    RETURN_IF_ERROR(shrink_to(around_.disk_budget));
    ASSIGN_OR_RETURN(const auto left, store_->bytes_used());
    if (left <= around_.disk_budget) return {};
    return failed("takes more than all operations may together (disk_budget: {} MiB)", around_.disk_budget >> 20U);
}

void RunningOperation::record() {
    warn_unless_recorded(operation_.warnings, around_.audit.record(operation_));
}

/// Each run reports its warnings anew.
void RunningOperation::merge_warnings() {
    operation_.warnings.insert(operation_.warnings.begin(), warnings_.begin(), warnings_.end());
    warnings_.clear();
}

void RunningOperation::run() {
    warnings_ = std::exchange(operation_.warnings, {});
    end(do_work());
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

Result<void> RunningOperation::do_work() {
    auto moment = moment_of(operation_);
    if (access_.timestamps_since) {
        // Not from the moment, which is in whole seconds: the result could be one too low.
        moment.timestamps_for =
            std::chrono::floor<std::chrono::seconds>(around_.clock.up() - *access_.timestamps_since);
    }
    if (request_.no_fast_scan) access_.table->forgo_fast_scans();
    const WorkPlace place{*access_.table, *access_.ruleset,    around_.clock,
                          moment,         access_.judge.get(), around_.state_dir};
    auto run = work_of(operation_.type)(request_, place, operation_, *this);
    // Retries to store the outcomes of the last block, if the first attempt failed.
    if (!unrecorded_.empty()) is_written_ = store_->record_outcomes(operation_.id, block_, unrecorded_);
    around_.flushes.ended(operation_);
    return run;
}

void RunningOperation::end(const Result<void>& worked) {
    close(operation_, worked);
    merge_warnings();
    operation_.duration = so_far();
    // Audit trail first: if the process dies between the two, the operation is recorded twice rather than never.
    record();
    if (is_written_) is_written_ = write_end();
    if (!is_written_) {
        // In the store it is still in progress, and will be recovered as interrupted.
        close_interrupted(operation_);
        operation_.detail = fmt::format("its result could not be recorded: {}", is_written_.error().message);
        record();
    }
    if (is_written_) around_.on_ended(operation_);  // otherwise reported by the recovery
    access_ = {};
    lock_.reset();
    const std::lock_guard lock{mutex_};
    shown_ = operation_;
    ended_.notify_all();
}

}  // namespace headgate::operations
