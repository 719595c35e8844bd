// The engine: starts operations, runs each on a worker of its own, and answers for them. Every face asks it.
//
// One operation at a time on an endpoint, over all processes that share the state directory; different endpoints at
// once. An operation is in the store before it begins and closed there when it ends. What a killed process left behind
// is settled before the next operation begins on that endpoint, or by settle_cut().
//
// Only what ends flows needs all that. Where the disk takes nothing, an operation that only looks is done all the same,
// told as long as this process lives, and warns of what could not be kept.
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
#include "headgate/operation_store.h"
#include "headgate/result.h"

#include "operations/audit_trail.h"
#include "operations/background_task.h"
#include "operations/endpoint_access.h"
#include "operations/endpoint_lock.h"
#include "operations/flush.h"
#include "operations/flush_listener.h"
#include "operations/operation_listener.h"
#include "operations/unkept_store.h"

namespace headgate::operations {

/// A request for one endpoint. The query has been validated and confined to it, and says which states.
struct OperationRequest : FlowRequest {
    Endpoint endpoint;
    std::string token;   ///< of the request: one that is asked again is not started again. Empty: none
    std::string asked;   ///< beside a token, the whole request in one text: whether it is asked again, or another is
    FlushRequest flush;  ///< of a flush; also what is protected
};

struct EngineSettings {
    std::filesystem::path state_dir{};
    std::chrono::seconds retention{std::chrono::hours{12}};
    std::uint64_t disk_budget = std::uint64_t{2} << 30U;           ///< bytes
    std::chrono::seconds timeout{60};                              ///< of an operation
    std::chrono::milliseconds patience = EndpointLock::kPatience;  ///< of a flush that waits for a capture
};

class RunningOperation;

/// Thread-safe. What it is given outlives it.
class Engine {
  public:
    /// That only look, and run at once.
    static constexpr int kMostOfOneCaller = 8;

    Engine(
        OperationStore& store, const Clock& clock, AuditTrail& audit, EndpointOpener open, EngineSettings settings,
        OperationListener on_ended = [](const FlowOperation&) {}, const FlushListener& flushes = kNobodyListens);

    /// Waits for what is running.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Starts it and returns at once: with a new operation that is in progress, or with the one that the same request
    /// with the same token has started before. Refused with EBUSY while another one runs on the endpoint; but a flush
    /// waits for a capture there (EndpointLock), for some seconds. Whatever the answer, the request is in the audit
    /// trail.
    [[nodiscard]] Result<FlowOperation> start(const OperationRequest& request);

    /// Puts into the audit trail that an operation was asked for that cannot even be tried. Returns the error.
    [[nodiscard]] tl::unexpected<Error> refuse(FlowOperation operation, Error error);

    /// As it stands now; ENOENT where there is none.
    [[nodiscard]] Result<FlowOperation> find(std::string_view id);

    /// As find(), but waits for its end for so long.
    [[nodiscard]] Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most);

    /// A running operation leaves alone what it has not come to, and ends. No error where it has ended already.
    [[nodiscard]] Result<void> cancel(std::string_view id);

    /// Newest first, as they stand now.
    [[nodiscard]] Result<std::vector<FlowOperation>> list(const OperationSelection& selection);

    /// Flows of an operation, as OperationStore tells them; also of one that is not kept.
    [[nodiscard]] Result<std::vector<StoredFlow>> flows(std::string_view id, std::uint64_t first, std::size_t count);
    [[nodiscard]] Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take);

    /// Settles and closes operations that are in progress and that no process is running any more.
    [[nodiscard]] Result<void> settle_cut();

    /// Removes operations that were kept for long enough, and as many of the oldest as are too much for the disk
    /// budget; returns how many went for the budget's sake. The others' space comes back in the background.
    [[nodiscard]] Result<std::uint64_t> tidy();

    /// For operations that begin from now on. The state directory stays.
    void configure(const EngineSettings& settings);

    /// From now on everything is refused. Returns when nothing is running any more.
    void drain();

    /// The two parts of it, for whoever must not wait: is_drained() is asked again and again.
    void begin_drain();
    [[nodiscard]] bool is_drained();

  private:
    [[nodiscard]] Result<FlowOperation> start_unrecorded(const OperationRequest& request, FlowOperation& operation);
    [[nodiscard]] Result<FlowOperation> begin(const OperationRequest& request, FlowOperation operation,
                                              std::optional<EndpointLock> lock);
    [[nodiscard]] Result<void> leaves_room(const FlowOperation& operation);
    [[nodiscard]] Result<std::optional<EndpointLock>> take_lock(FlowOperation& operation);
    [[nodiscard]] Result<void> make_ready(FlowOperation& operation, bool may_settle);
    [[nodiscard]] Result<OperationStore*> begin_in_store(FlowOperation& operation, const std::string& token);
    [[nodiscard]] Result<OperationStore*> begin_unkept(const FlowOperation& operation, const std::string& token);
    [[nodiscard]] Result<std::optional<FlowOperation>> find_by_token(const std::string& token);
    [[nodiscard]] OperationStore& store_of(std::string_view id);
    [[nodiscard]] bool runs_on(const Endpoint& endpoint);
    [[nodiscard]] bool is_draining();
    [[nodiscard]] Result<std::uint64_t> remove_old();
    void sweep_later();
    [[nodiscard]] Result<FlowOperation> answer_again(const OperationRequest& request, const FlowOperation& known);
    [[nodiscard]] Result<FlushRequest> take_source(const OperationRequest& request, FlowOperation& operation);
    [[nodiscard]] Result<void> settle_cut_on(const Endpoint& endpoint);
    [[nodiscard]] Result<void> settle(FlowOperation operation);
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

    std::mutex mutex_;  ///< of all that follows
    EngineSettings settings_;
    bool draining_ = false;
    std::map<std::string, std::shared_ptr<RunningOperation>, std::less<>> running_;
    std::set<std::string> left_open_;  ///< that this process ran, and whose end it could not write

    BackgroundTask sweeping_;
};

}  // namespace headgate::operations
