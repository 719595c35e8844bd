// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway of this machine: configuration, engine and kernel, in this process. Each of its parts is a class of its
// own, where it is more than a few lines; this one puts them together, and configures and ends them.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <vector>

#include "headgate/clock.h"

#include "config/configuration.h"
#include "flowlog/flow_log.h"
#include "gateway/ended_flow_feed.h"
#include "gateway/endpoints.h"
#include "gateway/local_operations.h"
#include "gateway/local_policies.h"
#include "gateway/local_quarantines.h"
#include "gateway/managed_gateway.h"
#include "operations/audit_trail.h"

namespace headgate::gateway {

class LocalGateway final : public ManagedGateway,
                           private FlowTables,
                           private Monitoring,
                           private Inventory,
                           private RefusedRequests {
  public:
    /// `log` receives messages about the flow log for the operator. `fast`: as of Endpoints.
    explicit LocalGateway(
        config::Configuration configuration, flowlog::StandardOutput output = flowlog::StandardOutput::ForOthers,
        const flowlog::LogCallback& log = [](std::string_view) {}, const conntrack::FastPaths& fast = {});

    LocalOperations& operations() override { return operations_; }
    LocalPolicies& policies() override { return policies_; }
    LocalQuarantines& quarantines() override { return quarantines_; }
    FlowTables& tables() override { return *this; }
    EndedFlowFeed& ended_flows() override { return ended_flows_; }
    Monitoring& monitoring() override { return *this; }
    Inventory& inventory() override { return *this; }
    RefusedRequests& refused_requests() override { return *this; }

    [[nodiscard]] std::shared_ptr<const config::Configuration> configuration() const override;

    /// Applies to operations that start later; `state_dir` never changes.
    void configure(config::Configuration configuration);

    [[nodiscard]] const Endpoints& endpoints() const noexcept { return endpoints_; }

    void reopen_logs();

    /// For what the agent changes by itself.
    [[nodiscard]] operations::AuditTrail& audit() noexcept { return audit_; }

    /// For listeners to kernel events.
    [[nodiscard]] flowlog::FlowLog& flow_log() noexcept { return flow_log_; }

    /// Whether all operations have ended after LocalOperations::begin_drain(), to be polled. Then followers of ended
    /// flows are released.
    [[nodiscard]] bool is_drained();

  private:
    Result<TableStatistics> statistics(const EndpointName& endpoint) override;
    [[nodiscard]] std::vector<EndpointPlace> places() const override;
    Result<TableStatistics> usage(const EndpointName& endpoint) override;
    Result<std::vector<PolicyCounter>> midstream_counters(const EndpointName& endpoint) override;
    Result<std::vector<QuarantineEntry>> quarantine_entries(const EndpointName& endpoint) override;
    [[nodiscard]] flowlog::FlowLogCounts flow_log_counts() const override { return flow_log_.counts(); }
    std::vector<Finding> readiness() override;
    [[nodiscard]] bool is_ending() const override { return is_ending_; }
    [[nodiscard]] bool is_whole() const override { return true; }
    std::vector<StreamExceptionPolicy> named_policies() override;
    Error refuse(const OperationRequest& request, Error error) override;
    Error refuse_policy(operations::PolicyAction action, const PolicyRequest& request, Error error) override;
    Error refuse_quarantine(operations::QuarantineStep step, const QuarantineRequest& request, Error error) override;
    template <typename Change>
    [[nodiscard]] Error record_refusal(const Change& change, Error error);

    SystemClock clock_;
    Endpoints endpoints_;
    const std::filesystem::path state_dir_;
    operations::AuditTrail audit_;
    flowlog::FlowLog flow_log_;
    LocalOperations operations_;
    LocalPolicies policies_{endpoints_, audit_, clock_};
    LocalQuarantines quarantines_{endpoints_, audit_, clock_};
    EndedFlowFeed ended_flows_{flow_log_.recent()};
    std::atomic<bool> is_ending_ = false;
};

}  // namespace headgate::gateway
