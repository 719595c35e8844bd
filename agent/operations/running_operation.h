// SPDX-License-Identifier: GPL-2.0-or-later
// One operation on its worker thread, and its state for other threads.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flush_listener.h"
#include "headgate/operation_store.h"
#include "headgate/result.h"

#include "operations/audit_trail.h"
#include "operations/endpoint_access.h"
#include "operations/endpoint_lock.h"
#include "operations/operation_work.h"
#include "operations/unkept_store.h"

namespace headgate::operations {

/// Dependencies and limits of the operation.
struct RunSurroundings {
    OperationStore& store;
    UnkeptStore& unkept;  ///< for captures and dry runs, where the store's disk cannot be written
    const Clock& clock;
    AuditTrail& audit;
    const OperationListener& on_ended;
    const FlushListener& flushes;
    const std::filesystem::path& state_dir;
    std::uint64_t disk_budget = 0;
    std::chrono::seconds timeout{0};
};

class RunningOperation final : private WorkListener {
  public:
    RunningOperation(RunSurroundings around, FlowOperation operation, EndpointAccess access, OperationRequest request,
                     std::optional<EndpointLock> lock);

    /// Waits for the worker.
    ~RunningOperation() override;
    RunningOperation(const RunningOperation&) = delete;
    RunningOperation& operator=(const RunningOperation&) = delete;

    /// Starts the worker; called once. If no thread can be created, the operation has failed.
    void start();

    [[nodiscard]] FlowOperation snapshot() const;
    [[nodiscard]] FlowOperation wait(std::chrono::milliseconds at_most) const;
    [[nodiscard]] bool has_ended() const;

    /// Whether it has ended, but its end could not be stored.
    [[nodiscard]] bool is_left_open() const;
    void cancel() noexcept { cancelled_ = true; }

  private:
    // While the work runs, on the worker.

    /// An error once the operation was cancelled, has reached its deadline, alone exceeds the disk budget, or has not
    /// given way to a flush for kGrace. Periodically also stores its progress.
    Result<void> may_go_on() override;

    /// Stores the flows. A capture or dry run continues with a warning if they cannot be stored.
    Result<void> left_alone(std::span<const FlowRow> flows) override;
    Result<void> begun() override;
    void policy_applied(const Result<void>& result) override;
    Result<void> about_to_end(std::span<const FlowRow> rows) override;
    Result<void> ended(std::span<const FlowRow> endings) override;

    void run();
    void cut_short(Error fault) noexcept;
    [[nodiscard]] Result<void> do_work();
    [[nodiscard]] Result<std::uint64_t> go_on_unkept(const Error& why);
    [[nodiscard]] Result<void> write_end();
    [[nodiscard]] bool may_go_unkept(const Error& why) const;
    [[nodiscard]] Result<void> report() const;
    void end(const Result<void>& worked);
    void record();
    void merge_warnings();
    void show();
    [[nodiscard]] Result<void> check() const;
    [[nodiscard]] Result<void> make_room(std::uint64_t flows) const;
    [[nodiscard]] Result<void> keep_to_budget() const;
    [[nodiscard]] Result<void> shrink_to(std::uint64_t bytes) const;
    [[nodiscard]] Result<void> may_keep_endpoint(std::chrono::steady_clock::time_point now);
    [[nodiscard]] std::chrono::milliseconds so_far() const;

    RunSurroundings around_;
    // Used by the worker only.
    OperationStore* store_;
    FlowOperation operation_;
    std::uint64_t rows_reported_ = 0;    ///< passed to left_alone()
    std::uint64_t block_ = 0;            ///< of the journal
    std::vector<FlowRow> unrecorded_;    ///< outcomes of that block
    std::vector<std::string> warnings_;  ///< in addition to those of the run

    EndpointAccess access_;
    const OperationRequest request_;
    std::optional<EndpointLock> lock_;
    std::atomic<bool> cancelled_ = false;
    std::chrono::steady_clock::time_point begun_;
    std::chrono::steady_clock::time_point next_report_;
    std::optional<std::chrono::steady_clock::time_point> waited_for_since_;  ///< by another operation

    Result<void> is_written_;  ///< whether the store has everything; the worker's until it ends

    mutable std::mutex mutex_;
    mutable std::condition_variable ended_;
    FlowOperation shown_;  ///< guarded by mutex_

    bool was_cut_ = false;  ///< ended by an exception; guarded by mutex_
    std::jthread worker_;
};

}  // namespace headgate::operations
