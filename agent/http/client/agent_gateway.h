// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway whose work is done by the agent on this machine, over its Unix socket.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/gateway.h"

namespace headgate::http {

/// Each call opens its own connection, so calls from several threads do not wait for each other. Errors are those of
/// the agent's gateway. One-off runs and rows from a file are refused: the agent does not support them.
class AgentGateway final : public gateway::Gateway,
                           public gateway::FlowOperations,
                           public gateway::StreamExceptionPolicies,
                           public gateway::Quarantines,
                           public gateway::FlowTables,
                           public gateway::EndedFlows {
  public:
    /// Missing or Disconnected: no agent listens there. Forbidden: the user may not use the agent.
    [[nodiscard]] static Result<std::unique_ptr<AgentGateway>> connect(std::filesystem::path socket);

    gateway::FlowOperations& operations() override { return *this; }
    gateway::StreamExceptionPolicies& policies() override { return *this; }
    gateway::Quarantines& quarantines() override { return *this; }
    gateway::FlowTables& tables() override { return *this; }
    gateway::EndedFlows& ended_flows() override { return *this; }

    Result<FlowOperation> start(const gateway::OperationRequest& request) override;
    Result<FlowOperation> find(std::string_view id) override;
    Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) override;
    Result<void> cancel(std::string_view id) override;
    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override;
    Result<void> for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) override;

    Result<gateway::TableStatistics> statistics(const EndpointName& endpoint) override;

    Result<gateway::EndpointPolicy> status(const EndpointName& endpoint) override;
    Result<gateway::EndpointPolicy> apply(const gateway::PolicyRequest& request) override;
    Result<gateway::EndpointPolicy> remove(const gateway::PolicyRequest& request) override;

    Result<gateway::EndpointQuarantine> quarantined(const EndpointName& endpoint) override;
    Result<gateway::EndpointQuarantine> add(const gateway::QuarantineRequest& request) override;
    Result<gateway::EndpointQuarantine> extend(const gateway::QuarantineRequest& request) override;
    Result<gateway::EndpointQuarantine> remove(const gateway::QuarantineRequest& request) override;

    Result<void> for_each_ended(const gateway::EndedFlowQuery& query, const gateway::RecordSink& sink) override;

  private:
    explicit AgentGateway(std::filesystem::path socket) : socket_(std::move(socket)) {}

    std::filesystem::path socket_;
};

}  // namespace headgate::http
