// SPDX-License-Identifier: GPL-2.0-or-later
// Gateway: all operations that a gateway offers to its interfaces. LocalGateway implements them in this process; the
// command line can also use AgentGateway, which asks the agent over its socket.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/ended_flow.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/operation_store.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "operations/flush.h"
#include "sessions/session_search.h"

namespace headgate::gateway {

/// Identifies an endpoint. Members may be absent where only one endpoint is possible.
struct EndpointName {
    std::optional<std::string> firewall;
    std::optional<std::string> availability_zone;
    std::optional<std::string> network_namespace;  ///< for a one-off run, in place of the other two

    friend bool operator==(const EndpointName&, const EndpointName&) = default;
};

/// A request for a capture or a flush. Its query is validated, and without filters where the flows were captured
/// before.
struct OperationOrder : FlowRequest {
    EndpointName endpoint;  ///< may be empty with `from_operation`: the endpoint of that operation
    std::string token;      ///< idempotency key; empty: none

    // For a flush.
    operations::RowSource captured;  ///< flush exactly these flows
    std::optional<std::uint64_t> maximum_flows;
    std::vector<FlowFilter> spared;       ///< protected in addition to the configuration's filters
    std::optional<FlowFilter> own_flows;  ///< likewise: the caller's TCP flows to the agent; not in the request
    sessions::CallerSessions sessions;    ///< likewise: the caller's SSH sessions
    std::optional<std::string> stream_exception_policy;  ///< to apply, by name; absent: leave it
    bool require_policy = false;   ///< refuse if flushed TCP flows could continue because no policy is in force
    bool own_flows_alone = false;  ///< the policy may affect no packets but those of flushed flows
};

/// A request to change the stream exception policy.
struct PolicyOrder {
    EndpointName endpoint;
    std::string policy;  ///< by name; not used for a removal
    bool include_protected = false;
    sessions::CallerSessions sessions;
    Caller caller;
};

/// What is in force on an endpoint.
struct EndpointPolicy {
    Endpoint endpoint;
    RulesetStatus status;
    std::vector<std::string> warnings;  ///< consequences that the caller should know
};

struct FlowKind {
    Family family{};
    Protocol protocol{};
    FlowState state{};

    friend auto operator<=>(const FlowKind&, const FlowKind&) = default;
};

/// Usage of a flow table, and its flows by kind.
struct TableStatistics {
    TableUsage usage;
    std::optional<std::uint64_t> peak;  ///< the highest usage that the agent has seen; absent where none was recorded
    std::map<FlowKind, std::uint64_t> flows;
};

/// Selects ended flows.
struct EndedFlowQuery {
    std::vector<EndReason> reasons;                     ///< empty: any reason, or none
    std::vector<FlowFilter> filters;                    ///< empty: every flow
    std::optional<std::vector<std::string>> firewalls;  ///< absent: every firewall
    std::size_t latest = 1000;                          ///< how many flows that ended before the query
    bool follow = false;                                ///< also those that end later

    /// Polled while waiting for flows: whether the reader has finished.
    std::function<bool()> is_over = [] { return false; };
};

/// Receives the next record, in EVE format, without a line end. An error ends the query.
using RecordSink = std::function<Result<void>(std::string_view record)>;

/// Thread-safe.
class Gateway {
  public:
    virtual ~Gateway() = default;

    /// Starts an operation and returns it at once, in progress.
    virtual Result<FlowOperation> start(const OperationOrder& order) = 0;

    /// Current state of an operation; ENOENT where it does not exist.
    virtual Result<FlowOperation> find(std::string_view id) = 0;

    /// As find(), but waits up to `at_most` for the operation to end.
    virtual Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) = 0;

    /// Ends a running operation before its next flows.
    virtual Result<void> cancel(std::string_view id) = 0;

    /// Newest first.
    virtual Result<std::vector<FlowOperation>> list(const OperationSelection& selection) = 0;

    /// Passes on the flows of an operation from number `first` on, as far as stored, in constant memory. The flows of a
    /// flush are available when it has ended.
    virtual Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) = 0;

    /// `count` flows from number `first` on; fewer at the end.
    virtual Result<std::vector<StoredFlow>> flows(std::string_view id, std::uint64_t first, std::size_t count) = 0;

    virtual Result<TableStatistics> count_flows(const EndpointName& endpoint) = 0;

    virtual Result<EndpointPolicy> policy_status(const EndpointName& endpoint) = 0;
    virtual Result<EndpointPolicy> apply_policy(const PolicyOrder& order) = 0;
    virtual Result<EndpointPolicy> remove_policy(const PolicyOrder& order) = 0;

    /// Ended flows, as far as the process that manages the gateway remembers them. A reader that is too slow misses
    /// some, and gets a record of the gap.
    virtual Result<void> for_each_ended(const EndedFlowQuery& query, const RecordSink& take) = 0;
};

}  // namespace headgate::gateway
