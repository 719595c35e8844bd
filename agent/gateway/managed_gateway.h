// The gateway as the agent's process has it: the questions that any client may ask, and what only this process knows.
// LocalGateway is the implementation; http/access/authorized_gateway.h is the decorator that applies permissions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

#include "config/configuration.h"
#include "flowlog/flow_log.h"
#include "gateway/gateway.h"
#include "netlink/network_namespace.h"

namespace headgate::gateway {

/// One thing that must be so for the gateway to do its work.
struct Finding {
    std::string check;  ///< `flow_table`, `recording`, `policy`, `store`, `audit_log`, `flow_log`
    Endpoint endpoint;  ///< empty for what is not an endpoint's
    std::string fault;  ///< empty: it is so

    [[nodiscard]] bool is_good() const noexcept { return fault.empty(); }

    friend bool operator==(const Finding&, const Finding&) = default;
};

/// An endpoint of the configuration, and where it is. Endpoints in one network namespace share its rules, and all flows
/// that are in both.
struct EndpointPlace {
    Endpoint endpoint;
    std::optional<std::uint16_t> conntrack_zone;  ///< absent: all of them
    Result<netlink::NamespaceId> where;           ///< ENOENT where there is no such namespace just now
};

/// Thread-safe.
class ManagedGateway : public Gateway {
  public:
    /// The one in force.
    [[nodiscard]] virtual std::shared_ptr<const config::Configuration> configuration() const = 0;

    /// Whether that is all of it, and what concerns no single firewall may be told.
    [[nodiscard]] virtual bool is_whole() const = 0;

    /// Where the endpoints of the configuration are, in its order; found out anew each time.
    [[nodiscard]] virtual std::vector<EndpointPlace> places() const = 0;

    /// Whether whoever asks may change the stream exception policy there.
    [[nodiscard]] virtual Result<void> may_change_policy(const EndpointName& endpoint) const = 0;

    /// Those that can be applied by name, sorted by it.
    virtual std::vector<StreamExceptionPolicy> policies() = 0;

    /// How full a table is, without looking at a single flow.
    virtual Result<TableCensus> usage(const EndpointName& endpoint) = 0;

    /// What a table's stream exception policies have caught since they were applied, the earlier ones too. However
    /// much is remembered, this takes no longer.
    virtual Result<std::vector<PolicyCounter>> midstream_counters(const EndpointName& endpoint) = 0;

    /// How the flow log fares.
    [[nodiscard]] virtual flowlog::FlowLogCounts flow_log_counts() const = 0;

    /// Whether nothing runs any more, and nothing will: whoever only looks on is told to go.
    [[nodiscard]] virtual bool is_ending() const = 0;

    /// Every check, whether good or not.
    virtual std::vector<Finding> readiness() = 0;

    /// Puts into the audit trail that somebody asked for what they may not have. Returns the error.
    virtual Error refuse(const OperationOrder& order, Error error) = 0;
    virtual Error refuse_policy(std::string_view action, const PolicyOrder& order, Error error) = 0;
};

}  // namespace headgate::gateway
