// SPDX-License-Identifier: GPL-2.0-or-later
// The engine: starts operations, runs each on its own worker thread, and reports their state to all interfaces.
//
// One operation at a time per endpoint, across all processes that share the state directory; different endpoints run
// concurrently. Each operation is stored before it begins, and completed there when it ends. Operations that a killed
// process left are recovered before the next one on their endpoint, or by recover_interrupted().
//
// A flush requires all of this. On a disk that cannot be written, a capture or dry run still runs, is kept in memory as
// long as this process lives, and warns of what could not be stored.
//
// The parts of this room: running_operation.h is one operation with its worker, deadline and end; operation_work.h is
// what the worker does, of which each type of operation has a file. sqlite_store.h stores operations as rows and flows
// as packed blocks (flow_rows.h). endpoint_lock.h is the exclusion, crash_recovery.h the crash recovery, audit_trail.h
// the log of requests.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flush_listener.h"
#include "headgate/operation_store.h"
#include "headgate/result.h"

#include "operations/audit_trail.h"
#include "operations/endpoint_access.h"
#include "operations/endpoint_lock.h"
#include "operations/operation_request.h"
#include "operations/unkept_store.h"
#include "threads/background_task.h"

namespace headgate::operations {

struct EngineSettings {
    std::filesystem::path state_dir{};
    std::chrono::seconds retention{std::chrono::hours{12}};
    std::uint64_t disk_budget = std::uint64_t{2} << 30U;           ///< bytes
    std::chrono::seconds timeout{60};                              ///< of an operation
    std::chrono::milliseconds patience = EndpointLock::kPatience;  ///< how long a flush waits for a capture
};

class RunningOperation;

/// Thread-safe. Constructor arguments passed by reference must outlive it.
class Engine final : public OperationFlows {
  public:
    /// Captures and dry runs that one caller may run at once.
    static constexpr int kMostOfOneCaller = 8;

    Engine(
        OperationStore& store, const Clock& clock, AuditTrail& audit, EndpointOpener open, EngineSettings settings,
        OperationListener on_ended = [](const FlowOperation&) {}, const FlushListener& flushes = kNobodyListens);

    /// Waits for running operations.
    ~Engine() override;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Returns at once, with a new operation in progress, or with the one that an identical request with the same token
    /// started. Busy while another operation runs on the endpoint; but a flush waits some seconds for a capture there
    /// (EndpointLock). Every request is recorded in the audit trail, whatever the outcome.
    [[nodiscard]] Result<FlowOperation> start(const OperationRequest& request);

    /// Records a request that cannot even be attempted in the audit trail. Returns the error.
    [[nodiscard]] tl::unexpected<Error> refuse(FlowOperation operation, Error error);

    /// Current state of an operation; NotFound where it does not exist.
    [[nodiscard]] Result<FlowOperation> find(std::string_view id);

    /// As find(), but waits up to `at_most` for the operation to end.
    [[nodiscard]] Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most);

    /// Stops a running operation before its next flows. No error where it has ended already.
    [[nodiscard]] Result<void> cancel(std::string_view id);

    /// Newest first, in their current state.
    [[nodiscard]] Result<std::vector<FlowOperation>> list(const OperationSelection& selection);

    /// Also of operations kept in memory.
    Result<void> for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) override;

    /// Recovers and completes operations that are in progress, but whose process has died.
    [[nodiscard]] Result<void> recover_interrupted();

    /// Removes operations past their retention, then the oldest ones that exceed the disk budget; returns the number of
    /// the latter. The space is released in the background.
    [[nodiscard]] Result<std::uint64_t> tidy();

    /// Applies to operations that start later. The state directory does not change.
    void configure(const EngineSettings& settings);

    /// Refuses all further operations, and returns when none is running any more.
    void drain();

    /// drain() without blocking: is_drained() is to be polled.
    void begin_drain();
    [[nodiscard]] bool is_drained();

  private:
    [[nodiscard]] Result<FlowOperation> start_unrecorded(const OperationRequest& request, FlowOperation& operation);
    [[nodiscard]] Result<FlowOperation> begin(const OperationRequest& request, FlowOperation operation,
                                              std::optional<EndpointLock> lock);
    [[nodiscard]] Result<FlowOperation> keep_without_consent(const OperationRequest& request, FlowOperation operation);
    [[nodiscard]] Result<void> leaves_room(const FlowOperation& operation);
    [[nodiscard]] Result<std::optional<EndpointLock>> acquire_lock(FlowOperation& operation);
    [[nodiscard]] Result<void> make_ready(FlowOperation& operation, bool may_recover);
    [[nodiscard]] Result<OperationStore*> begin_in_store(FlowOperation& operation, const std::string& token);
    [[nodiscard]] Result<OperationStore*> begin_unkept(const FlowOperation& operation, const std::string& token);
    [[nodiscard]] Result<std::optional<FlowOperation>> find_by_token(const std::string& token);
    [[nodiscard]] OperationStore& store_of(std::string_view id);
    [[nodiscard]] bool runs_on(const Endpoint& endpoint);
    [[nodiscard]] bool is_draining();
    [[nodiscard]] Result<std::uint64_t> remove_old();
    void sweep_later();
    [[nodiscard]] Result<FlowOperation> answer_again(const OperationRequest& request, const FlowOperation& known);
    [[nodiscard]] Result<FlowOperation> find_source(FlowOperation& operation);
    [[nodiscard]] Result<OperationRequest> with_source(OperationRequest request, FlowOperation& operation);
    [[nodiscard]] Result<void> recover_interrupted_on(const Endpoint& endpoint);
    [[nodiscard]] Result<void> recover(FlowOperation operation);
    [[nodiscard]] EngineSettings settings();
    [[nodiscard]] std::shared_ptr<RunningOperation> running(std::string_view id);
    [[nodiscard]] const FlushListener& listener_for(const std::string& id);
    void join_ended();

    OperationStore& store_;
    const Clock& clock_;
    AuditTrail& audit_;
    EndpointOpener open_;
    OperationListener on_ended_;
    const FlushListener& flushes_;
    const std::filesystem::path state_dir_;
    UnkeptStore unkept_{clock_};

    std::mutex mutex_;  ///< guards all members below
    EngineSettings settings_;
    bool draining_ = false;
    std::map<std::string, std::shared_ptr<RunningOperation>, std::less<>> running_;
    std::set<std::string> left_open_;  ///< run by this process, end not written

    BackgroundTask sweeping_;
};

}  // namespace headgate::operations
