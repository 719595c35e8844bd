// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway from within the process that manages it: what can be asked of any gateway, and what only that process
// knows. The HTTP interface builds on it. LocalGateway is the implementation; http/access/authorized_gateway.h
// restricts another one to a caller's permissions. All is thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

#include "config/configuration.h"
#include "flowlog/flow_log.h"
#include "gateway/gateway.h"
#include "netlink/network_namespace.h"
#include "operations/audit_trail.h"

namespace headgate::gateway {

/// The result of one readiness check.
struct Finding {
    std::string check;  ///< `flow_table`, `recording`, `policy`, `store`, `audit_log`, `flow_log`
    Endpoint endpoint;  ///< empty where the check concerns no endpoint
    std::string fault;  ///< empty: passed

    [[nodiscard]] bool is_good() const noexcept { return fault.empty(); }

    friend bool operator==(const Finding&, const Finding&) = default;
};

/// The location of a configured endpoint. Endpoints in one network namespace share its rules, and the flows that belong
/// to both.
struct EndpointPlace {
    Endpoint endpoint;
    std::optional<std::uint16_t> conntrack_zone;  ///< absent: all zones
    Result<netlink::NamespaceId> where;           ///< Missing where the namespace does not exist now
};

/// Readings that are cheap enough to be repeated every second, and health checks.
class Monitoring {
  public:
    virtual ~Monitoring() = default;

    /// The locations of all configured endpoints, in order; resolved anew on each call.
    [[nodiscard]] virtual std::vector<EndpointPlace> places() const = 0;

    /// Usage of a flow table, without reading any flow.
    virtual Result<TableStatistics> usage(const EndpointName& endpoint) = 0;

    /// What stream exception policies have caught since they were applied, replaced ones included. The time does not
    /// depend on the number of remembered flows.
    virtual Result<std::vector<PolicyCounter>> midstream_counters(const EndpointName& endpoint) = 0;

    /// What is in quarantine, and what it has caught.
    virtual Result<std::vector<QuarantineEntry>> quarantine_entries(const EndpointName& endpoint) = 0;

    /// Counters of the flow log.
    [[nodiscard]] virtual flowlog::FlowLogCounts flow_log_counts() const = 0;

    /// All checks, passed or failed.
    virtual std::vector<Finding> readiness() = 0;

    /// Whether all operations have ended after begin_drain(): readers that follow events are disconnected.
    [[nodiscard]] virtual bool is_ending() const = 0;
};

/// What the gateway manages, and can apply.
class Inventory {
  public:
    virtual ~Inventory() = default;

    /// The configuration in force.
    [[nodiscard]] virtual std::shared_ptr<const config::Configuration> configuration() const = 0;

    /// Whether the configuration is complete; false: the caller may see only what concerns single firewalls.
    [[nodiscard]] virtual bool is_whole() const = 0;

    /// The policies that can be applied by name, sorted by name.
    virtual std::vector<StreamExceptionPolicy> named_policies() = 0;
};

/// Records requests in the audit trail that are refused before they reach the gateway. Returns the error.
class RefusedRequests {
  public:
    virtual ~RefusedRequests() = default;

    virtual Error refuse(const OperationRequest& request, Error error) = 0;
    virtual Error refuse_policy(operations::PolicyAction action, const PolicyRequest& request, Error error) = 0;
    virtual Error refuse_quarantine(operations::QuarantineStep step, const QuarantineRequest& request, Error error) = 0;
};

class ManagedGateway : public Gateway {
  public:
    virtual Monitoring& monitoring() = 0;
    virtual Inventory& inventory() = 0;
    virtual RefusedRequests& refused_requests() = 0;

    /// By type, for handlers whose parameters name the parts that they use.
    template <typename Part>
    [[nodiscard]] Part& part() {
        return std::get<Part&>(std::tie(operations(), policies(), quarantines(), tables(), ended_flows(), monitoring(),
                                        inventory(), refused_requests()));
    }
};

}  // namespace headgate::gateway
