// One operation on its worker, and what others may know of it meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/operation_store.h"
#include "headgate/result.h"

#include "operations/audit_trail.h"
#include "operations/endpoint_access.h"
#include "operations/endpoint_lock.h"
#include "operations/flush.h"
#include "operations/flush_listener.h"
#include "operations/operation_listener.h"
#include "operations/unkept_store.h"

namespace headgate::operations {

/// Where it is kept, and what bounds it.
struct RunSurroundings {
    OperationStore& store;
    UnkeptStore& unkept;  ///< for what only looks, where the store's disk takes nothing
    const Clock& clock;
    AuditTrail& audit;
    const OperationListener& on_ended;
    const FlushListener& flushes;
    std::uint64_t disk_budget = 0;
    std::chrono::seconds timeout{0};
};

class RunningOperation {
  public:
    RunningOperation(RunSurroundings around, FlowOperation operation, EndpointAccess access, FlushRequest flush,
                     std::optional<EndpointLock> lock);

    /// Waits for the worker.
    ~RunningOperation();
    RunningOperation(const RunningOperation&) = delete;
    RunningOperation& operator=(const RunningOperation&) = delete;

    /// Begins; called once. Where there is no thread to be had, it has failed with that.
    void start();

    [[nodiscard]] FlowOperation snapshot() const;
    [[nodiscard]] FlowOperation wait(std::chrono::milliseconds at_most) const;
    [[nodiscard]] bool has_ended() const;

    /// Whether it has ended and the store could not be told.
    [[nodiscard]] bool is_left_open() const;
    void cancel() noexcept { cancelled_ = true; }

    // For the worker's observers.

    /// An error once it was cancelled or has reached its deadline, when it alone takes more room than there is for all,
    /// or when a flush has waited for long enough that what only looks gives way. From time to time also tells others
    /// how far it has come.
    [[nodiscard]] Result<void> check(const FlowOperation& operation);

    /// Others see this from now on.
    void show(const FlowOperation& operation);

    /// Makes room for so many flows; an error where there is none.
    [[nodiscard]] Result<void> make_room(std::uint64_t flows) const;

    /// Flows that nothing was done to. What only looks goes on where they cannot be kept, and says so.
    [[nodiscard]] Result<void> keep(FlowOperation& operation, std::span<const StoredFlow> flows);

    [[nodiscard]] OperationStore& store() const noexcept { return *store_; }
    [[nodiscard]] const FlushListener& flushes() const noexcept { return around_.flushes; }

  private:
    void run();
    void cut_short(Error fault) noexcept;
    [[nodiscard]] Result<void> work(FlowOperation& operation);
    [[nodiscard]] Result<std::uint64_t> go_on_unkept(FlowOperation& operation, const Error& why);
    [[nodiscard]] Result<void> write_end(FlowOperation& operation);
    [[nodiscard]] bool may_go_unkept(const FlowOperation& operation, const Error& why) const;
    [[nodiscard]] Result<void> report(const FlowOperation& operation) const;
    void end(FlowOperation& operation, const Result<void>& worked);
    void record(FlowOperation& operation);
    void take_warnings(FlowOperation& operation);
    [[nodiscard]] Result<void> keep_to_budget() const;
    [[nodiscard]] Result<void> shrink_to(std::uint64_t bytes) const;
    [[nodiscard]] Result<void> may_go_on() const;
    [[nodiscard]] Result<void> may_keep_endpoint(const FlowOperation& operation,
                                                 std::chrono::steady_clock::time_point now);
    [[nodiscard]] std::chrono::milliseconds so_far() const;

    RunSurroundings around_;
    OperationStore* store_;              ///< the worker's, as are the rows
    std::uint64_t rows_told_ = 0;        ///< by keep()
    std::vector<std::string> warnings_;  ///< beside those of the run
    EndpointAccess access_;
    FlushRequest flush_;
    std::optional<EndpointLock> lock_;
    std::atomic<bool> cancelled_ = false;
    std::chrono::steady_clock::time_point begun_;
    std::chrono::steady_clock::time_point next_report_;
    std::optional<std::chrono::steady_clock::time_point> waited_for_since_;  ///< by somebody who is next

    Result<void> is_written_;  ///< the worker's until it has ended: whether the store has everything

    mutable std::mutex mutex_;
    mutable std::condition_variable ended_;
    FlowOperation shown_;  ///< under the mutex

    bool was_cut_ = false;  ///< an exception has ended it: under the mutex
    std::jthread worker_;
};

}  // namespace headgate::operations
