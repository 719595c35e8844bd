// SPDX-License-Identifier: GPL-2.0-or-later
// Captures and flushes in this process: the engine and its store, opened on first use, and what a request means here.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "headgate/clock.h"

#include "flowlog/flow_log.h"
#include "flowlog/flush_records.h"
#include "gateway/endpoints.h"
#include "gateway/gateway.h"
#include "operations/audit_trail.h"
#include "operations/engine.h"

namespace headgate::gateway {

class LocalOperations final : public FlowOperations {
  public:
    /// The arguments passed by reference must outlive this object. `log` receives messages about the store and the
    /// flow log for the operator.
    LocalOperations(const Endpoints& endpoints, const Clock& clock, operations::AuditTrail& audit,
                    flowlog::FlowLog& flow_log, flowlog::LogCallback log);

    /// Waits for running operations.
    ~LocalOperations() override;

    /// Registers a listener for ended operations. To be called before all else, and once.
    void on_ended(operations::OperationListener listener) { on_ended_ = std::move(listener); }

    /// Opens the store, which is otherwise opened on first use. A store that cannot be written is logged.
    [[nodiscard]] Result<void> open_store();

    /// Whether the store can keep an operation.
    [[nodiscard]] Result<void> ready();

    /// Recovers operations that a killed process left; missing flow log records follow on a background thread.
    [[nodiscard]] Result<void> recover_interrupted();

    Result<FlowOperation> start(const OperationRequest& request) override;
    Result<FlowOperation> find(std::string_view id) override;
    Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) override;
    Result<void> cancel(std::string_view id) override;
    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override;
    Result<void> for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) override;

    /// Records a refused request in the audit trail, and returns the error.
    [[nodiscard]] Error refuse(const OperationRequest& request, Error error);

    /// Applies to operations that start later; `state_dir` never changes.
    void configure(const config::Configuration& configuration);

    /// Recovery and retention, to be called periodically. Returns what the engine removed.
    [[nodiscard]] Result<std::uint64_t> tidy();

    /// Releases memory that operations used and an idle process does not need.
    void trim();

    /// Starts no more operations; running ones finish.
    void begin_drain();

    /// Whether all operations have ended. To be polled after begin_drain().
    [[nodiscard]] bool is_drained();

  private:
    [[nodiscard]] Result<operations::Engine*> engine();
    [[nodiscard]] Result<operations::EndpointAccess> open(const Endpoint& endpoint);
    void make_up_records();
    void make_up_now();
    /// With what the configuration and the endpoint add (operation_request.h).
    [[nodiscard]] Result<OperationRequest> completed(OperationRequest request);
    [[nodiscard]] Result<EndpointName> endpoint_of(const OperationRequest& request);

    const Endpoints& endpoints_;
    const Clock& clock_;
    operations::AuditTrail& audit_;
    const flowlog::LogCallback log_;
    const std::filesystem::path state_dir_;
    flowlog::FlushRecords flush_records_;
    operations::OperationListener on_ended_ = [](const FlowOperation&) {};
    std::mutex opening_;
    std::unique_ptr<OperationStore> store_;       ///< guarded by `opening_` until set
    std::unique_ptr<operations::Engine> engine_;  ///< likewise
    BackgroundTask making_up_{[this](const Error& fault) { log_("flow log: " + fault.message); }};
};

}  // namespace headgate::gateway
