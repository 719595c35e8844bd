// A gateway as seen with restricted permissions: resources outside the caller's permissions look nonexistent, and
// forbidden operations are refused and recorded in the audit trail.
#pragma once

#include "gateway/managed_gateway.h"
#include "gateway/rights.h"

namespace headgate::gateway {

/// As thread-safe as `whole`, which must outlive it.
class LimitedGateway final : public ManagedGateway {
  public:
    LimitedGateway(ManagedGateway& whole, Rights rights, Caller caller = {})
        : whole_(whole), rights_(std::move(rights)), caller_(std::move(caller)) {}

    Result<FlowOperation> start(const OperationOrder& order) override;
    Result<FlowOperation> find(std::string_view id) override;
    Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) override;
    Result<void> cancel(std::string_view id) override;
    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override;
    Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) override;
    Result<std::vector<StoredFlow>> flows(std::string_view id, std::uint64_t first, std::size_t count) override;
    Result<TableCensus> count_flows(const EndpointName& endpoint) override;
    Result<EndpointPolicy> policy_status(const EndpointName& endpoint) override;
    Result<EndpointPolicy> apply_policy(const PolicyOrder& order) override;
    Result<EndpointPolicy> remove_policy(const PolicyOrder& order) override;
    Result<void> for_each_ended(const EndedFlowQuery& query, const RecordSink& take) override;

    /// With the firewalls that the caller may see, and only the settings that concern these.
    [[nodiscard]] std::shared_ptr<const config::Configuration> configuration() const override;
    [[nodiscard]] bool is_whole() const override;
    [[nodiscard]] std::vector<EndpointPlace> places() const override;
    [[nodiscard]] Result<void> may_change_policy(const EndpointName& endpoint) const override;
    std::vector<StreamExceptionPolicy> policies() override;
    Result<TableCensus> usage(const EndpointName& endpoint) override;
    Result<std::vector<PolicyCounter>> midstream_counters(const EndpointName& endpoint) override;
    [[nodiscard]] flowlog::FlowLogCounts flow_log_counts() const override;
    [[nodiscard]] bool is_ending() const override;
    std::vector<Finding> readiness() override;
    Error refuse(const OperationOrder& order, Error error) override;
    Error refuse_policy(std::string_view action, const PolicyOrder& order, Error error) override;

  private:
    /// What an operation on an endpoint affects.
    enum class Affected : std::uint8_t {
        Flows,  ///< of its conntrack zone, or of all zones if it has none
        Rules,  ///< of its whole network namespace
    };
    [[nodiscard]] bool covers(const Endpoint& endpoint) const;
    [[nodiscard]] Result<EndpointName> confined(EndpointName name) const;
    [[nodiscard]] Result<void> covers_affected(const EndpointName& name, Affected affected,
                                               std::optional<std::uint16_t> only_zone = {}) const;
    [[nodiscard]] Result<void> covers_flows_of(const FlowOperation& operation) const;
    [[nodiscard]] Result<void> covers_flows_of(std::string_view firewall) const;
    [[nodiscard]] Result<OperationOrder> allowed(const OperationOrder& order);
    [[nodiscard]] Result<OperationOrder> confined_order(const OperationOrder& order);
    [[nodiscard]] Result<FlowOperation> find_with_flows(std::string_view id);
    template <typename Change>
    [[nodiscard]] Result<EndpointPolicy> change_policy(std::string_view action, const PolicyOrder& order,
                                                       const Change& change);

    ManagedGateway& whole_;
    const Rights rights_;
    const Caller caller_;
};

}  // namespace headgate::gateway
