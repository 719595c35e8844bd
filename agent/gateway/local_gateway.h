// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway of this machine: configuration, engine and kernel, in this process.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "headgate/clock.h"

#include "config/configuration.h"
#include "flowlog/flow_log.h"
#include "gateway/chosen_endpoint.h"
#include "gateway/coalesced_count.h"
#include "gateway/flush_records.h"
#include "gateway/managed_gateway.h"
#include "gateway/table_peaks.h"
#include "gateway/timestamp_history.h"
#include "operations/audit_trail.h"
#include "operations/engine.h"

namespace headgate::gateway {

class LocalGateway final : public ManagedGateway {
  public:
    /// `tell` receives messages about the flow log for the operator.
    explicit LocalGateway(
        config::Configuration configuration, flowlog::StandardOutput output = flowlog::StandardOutput::ForOthers,
        flowlog::LogCallback tell = [](std::string_view) {});

    /// Waits for running operations and the flow log.
    ~LocalGateway() override;

    /// Registers a listener for ended operations. To be called before all else, and once.
    void on_ended(operations::OperationListener listener) { on_ended_ = std::move(listener); }

    /// Opens the store, which is otherwise opened on first use. A store that cannot be written is logged.
    [[nodiscard]] Result<void> open_store();

    /// Recovers operations that a killed process left; missing flow log records follow on a background thread.
    [[nodiscard]] Result<void> recover_interrupted();

    Result<FlowOperation> start(const OperationRequest& request) override;
    Result<FlowOperation> find(std::string_view id) override;
    Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) override;
    Result<void> cancel(std::string_view id) override;
    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override;
    Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) override;

    Result<std::vector<StoredFlow>> flows(std::string_view id, std::uint64_t first, std::size_t count) override;

    Result<TableStatistics> count_flows(const EndpointName& endpoint) override;

    Result<EndpointPolicy> policy_status(const EndpointName& endpoint) override;
    Result<EndpointPolicy> apply_policy(const PolicyRequest& request) override;
    Result<EndpointPolicy> remove_policy(const PolicyRequest& request) override;
    Result<void> for_each_ended(const EndedFlowQuery& query, const RecordSink& take) override;

    [[nodiscard]] std::shared_ptr<const config::Configuration> configuration() const override;
    [[nodiscard]] bool is_whole() const override { return true; }
    [[nodiscard]] std::vector<EndpointPlace> places() const override;
    [[nodiscard]] Result<void> may_change_policy(const EndpointName& /*endpoint*/) const override { return {}; }
    std::vector<StreamExceptionPolicy> policies() override;
    Result<TableStatistics> usage(const EndpointName& endpoint) override;
    Result<std::vector<PolicyCounter>> midstream_counters(const EndpointName& endpoint) override;
    [[nodiscard]] flowlog::FlowLogCounts flow_log_counts() const override;
    [[nodiscard]] bool is_ending() const override;
    std::vector<Finding> readiness() override;
    Error refuse(const OperationRequest& request, Error error) override;
    Error refuse_policy(std::string_view action, const PolicyRequest& request, Error error) override;

    /// Applies to operations that start later; `state_dir` never changes.
    void configure(config::Configuration configuration);

    /// Since when time stamps have been on, for the component that enables them.
    [[nodiscard]] TimestampHistory& timestamps() noexcept { return timestamps_; }

    /// Recovery and retention, to be called periodically. Returns what the engine removed.
    [[nodiscard]] Result<std::uint64_t> tidy();

    /// Releases memory that operations used and an idle process does not need.
    void trim();
    void reopen_logs();

    /// For listeners to kernel events.
    [[nodiscard]] flowlog::FlowLog& flow_log() noexcept { return flow_log_; }

    /// Starts no more operations; running ones finish, and followers of ended flows are released afterwards.
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
    [[nodiscard]] Result<TableStatistics> count_anew(const ChosenEndpoint& endpoint);
    [[nodiscard]] Result<EndpointName> endpoint_of(const OperationRequest& request);
    template <typename Change>
    [[nodiscard]] Result<EndpointPolicy> change_policy(std::string_view action, const PolicyRequest& request,
                                                       Change change);

    SystemClock clock_;
    TimestampHistory timestamps_;
    TablePeaks peaks_;
    CoalescedCount censuses_;
    mutable std::mutex mutex_;
    std::shared_ptr<const config::Configuration> configuration_;  ///< guarded by mutex_
    const std::filesystem::path state_dir_;
    operations::AuditTrail audit_;
    flowlog::FlowLog flow_log_;
    const flowlog::LogCallback tell_;
    FlushRecords flush_records_{flow_log_, clock_, state_dir_};
    operations::OperationListener on_ended_ = [](const FlowOperation&) {};
    std::mutex opening_;
    std::unique_ptr<OperationStore> store_;       ///< guarded by `opening_` until set
    std::unique_ptr<operations::Engine> engine_;  ///< likewise
    std::atomic<bool> is_ending_ = false;
    operations::BackgroundTask making_up_{[this](const Error& fault) { tell_("flow log: " + fault.message); }};
};

}  // namespace headgate::gateway
