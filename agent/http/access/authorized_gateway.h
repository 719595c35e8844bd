// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway within the caller's permissions: resources outside them look nonexistent, and an action that they do not
// allow is refused and recorded in the audit trail. A signed start is carried out once.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/access/permissions.h"
#include "http/access/replay_guard.h"
#include "http/message.h"

namespace headgate::http::access {

/// As thread-safe as the gateway that it decorates, which outlives it.
class AuthorizedGateway final : public gateway::ManagedGateway {
  public:
    AuthorizedGateway(gateway::ManagedGateway& whole, Permissions permissions, Caller caller = {})
        : whole_(whole), permissions_(std::move(permissions)), caller_(std::move(caller)) {}

    /// For the caller of a request. `replays` outlives it, and is the same for all requests.
    AuthorizedGateway(gateway::ManagedGateway& whole, const Request& request, ReplayGuard& replays)
        : whole_(whole),
          permissions_(request.permissions),
          caller_(request.caller),
          signature_(request.signature),
          replays_(&replays) {}

    Result<FlowOperation> start(const gateway::OperationRequest& request) override;
    Result<FlowOperation> find(std::string_view id) override;
    Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) override;
    Result<void> cancel(std::string_view id) override;
    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override;
    Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) override;
    Result<std::vector<StoredFlow>> flows(std::string_view id, std::uint64_t first, std::size_t count) override;
    Result<gateway::TableStatistics> count_flows(const EndpointName& endpoint) override;
    Result<gateway::EndpointPolicy> policy_status(const EndpointName& endpoint) override;
    Result<gateway::EndpointPolicy> apply_policy(const gateway::PolicyRequest& request) override;
    Result<gateway::EndpointPolicy> remove_policy(const gateway::PolicyRequest& request) override;
    Result<void> for_each_ended(const gateway::EndedFlowQuery& query, const gateway::RecordSink& take) override;

    /// With the firewalls that the caller may see, and only the settings that concern these.
    [[nodiscard]] std::shared_ptr<const config::Configuration> configuration() const override;
    [[nodiscard]] bool is_whole() const override;
    [[nodiscard]] std::vector<gateway::EndpointPlace> places() const override;
    [[nodiscard]] Result<void> may_change_policy(const EndpointName& endpoint) const override;
    std::vector<StreamExceptionPolicy> policies() override;
    Result<gateway::TableStatistics> usage(const EndpointName& endpoint) override;
    Result<std::vector<PolicyCounter>> midstream_counters(const EndpointName& endpoint) override;
    [[nodiscard]] flowlog::FlowLogCounts flow_log_counts() const override;
    [[nodiscard]] bool is_ending() const override;
    std::vector<gateway::Finding> readiness() override;
    Error refuse(const gateway::OperationRequest& request, Error error) override;
    Error refuse_policy(std::string_view action, const gateway::PolicyRequest& request, Error error) override;

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
    [[nodiscard]] Result<gateway::OperationRequest> allowed(const gateway::OperationRequest& request);
    [[nodiscard]] Result<gateway::OperationRequest> confined_request(const gateway::OperationRequest& request);
    [[nodiscard]] Result<FlowOperation> start_once(gateway::OperationRequest request);
    [[nodiscard]] Result<FlowOperation> find_with_flows(std::string_view id);
    template <typename Change>
    [[nodiscard]] Result<gateway::EndpointPolicy> change_policy(std::string_view action,
                                                                const gateway::PolicyRequest& request,
                                                                const Change& change);

    gateway::ManagedGateway& whole_;
    const Permissions permissions_;
    const Caller caller_;
    const std::optional<RequestSignature> signature_;  ///< of the request; a copy of it starts nothing
    ReplayGuard* const replays_ = nullptr;             ///< where there is a signature
};

}  // namespace headgate::http::access
