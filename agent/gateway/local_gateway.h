// The gateway that this process is on: its configuration, its engine, and the kernel.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "headgate/clock.h"

#include "config/configuration.h"
#include "gateway/chosen_endpoint.h"
#include "gateway/gateway.h"
#include "gateway/timestamp_memory.h"
#include "operations/audit_trail.h"
#include "operations/engine.h"

namespace headgate::gateway {

class LocalGateway final : public Gateway {
  public:
    explicit LocalGateway(config::Configuration configuration);

    /// Waits for what is running.
    ~LocalGateway() override;

    /// Opens the store, which otherwise waits until somebody needs it.
    [[nodiscard]] Result<void> open_store();

    /// Settles what a killed process left behind.
    [[nodiscard]] Result<void> settle_cut();

    Result<FlowOperation> start(const OperationOrder& order) override;
    Result<FlowOperation> find(std::string_view id) override;
    Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) override;
    Result<void> cancel(std::string_view id) override;
    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override;
    Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) override;

    Result<TableCensus> count_flows(const EndpointName& endpoint) override;

    Result<EndpointPolicy> policy_status(const EndpointName& endpoint) override;
    Result<EndpointPolicy> apply_policy(const PolicyOrder& order) override;
    Result<EndpointPolicy> remove_policy(const PolicyOrder& order) override;

    /// From now on with this configuration; what is running goes on as it was begun. `state_dir` stays as it was.
    void configure(config::Configuration configuration);
    [[nodiscard]] std::shared_ptr<const config::Configuration> configuration() const;

    /// What is known of time stamps, for whoever sees to them.
    [[nodiscard]] TimestampMemory& timestamps() noexcept { return timestamps_; }

    /// For a daemon's housekeeping.
    [[nodiscard]] Result<std::uint64_t> tidy();

    /// Gives back what memory operations have taken and nobody needs at rest.
    void trim();
    void reopen_logs() { audit_.reopen(); }
    void drain();

  private:
    [[nodiscard]] Result<operations::Engine*> engine();
    [[nodiscard]] Result<operations::EndpointAccess> open(const Endpoint& endpoint);
    [[nodiscard]] Result<operations::OperationRequest> request_of(const OperationOrder& order);
    [[nodiscard]] Result<operations::FlushRequest> flush_of(const OperationOrder& order, const ChosenEndpoint& endpoint,
                                                            const FlowQuery& query) const;
    [[nodiscard]] Result<EndpointName> endpoint_of(const OperationOrder& order);
    template <typename Change>
    [[nodiscard]] Result<EndpointPolicy> change_policy(std::string_view action, const PolicyOrder& order,
                                                       Change change);

    SystemClock clock_;
    TimestampMemory timestamps_;
    mutable std::mutex mutex_;
    std::shared_ptr<const config::Configuration> configuration_;  ///< under the mutex
    const std::filesystem::path state_dir_;
    operations::AuditTrail audit_;
    std::mutex opening_;
    std::unique_ptr<OperationStore> store_;       ///< under `opening_` until it is there
    std::unique_ptr<operations::Engine> engine_;  ///< likewise
};

}  // namespace headgate::gateway
