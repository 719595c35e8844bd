// SPDX-License-Identifier: GPL-2.0-or-later
// What can be asked of a gateway: five interfaces, and the requests and answers that they use. LocalGateway answers in
// this process; for the command line, AgentGateway asks the agent over its socket. All are thread-safe.
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
#include "headgate/quarantine.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "flowlog/ended_flow_filter.h"
#include "operations/operation_request.h"

namespace headgate::gateway {

using operations::OperationRequest;

/// A request to change the stream exception policy.
struct PolicyRequest {
    EndpointName endpoint;
    std::string policy;  ///< by name; not used for a removal
    bool include_protected = false;
    CallerSessions sessions;
    Caller caller;
};

/// What is in force on an endpoint.
struct EndpointPolicy {
    Endpoint endpoint;
    RulesetStatus status;
    std::vector<std::string> warnings;  ///< consequences that the caller should know
};

/// A request to change what is in quarantine.
struct QuarantineRequest {
    EndpointName endpoint;
    std::vector<Prefix> prefixes;
    std::chrono::seconds time{0};  ///< from now on; not used for a removal
    // The rest is used for an addition alone.
    QuarantineAction action = QuarantineAction::Drop;
    std::string reason;
    bool include_protected = false;
    bool wide = false;  ///< prefixes that are wider than usual are meant
    CallerSessions sessions;
    Caller caller;
};

/// What is in quarantine on an endpoint; as the answer to a change, what was changed: for a removal, as it was.
struct EndpointQuarantine {
    Endpoint endpoint;
    std::vector<QuarantineEntry> entries;
    std::uint64_t offloaded_flows = 0;  ///< of an addition: those of its flows whose packets pass by all rules
    std::vector<std::string> warnings;
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

/// Selects ended flows, and says how long to read.
struct EndedFlowQuery : flowlog::EndedFlowFilter {
    std::size_t latest = 1000;  ///< how many flows that ended before the query
    bool follow = false;        ///< also those that end later, up to `until`

    /// Polled while waiting for flows: whether the reader has finished.
    std::function<bool()> is_over = [] { return false; };
};

/// Receives the next record, in EVE format, without a line end. An error ends the query.
using RecordSink = std::function<Result<void>(std::string_view record)>;

/// Captures and flushes. find(), and `from_operation` of a request, take the first characters of an id
/// (whole_operation_id.h); the other functions take the whole id, as found. The flows of a flush are available when it
/// has ended.
class FlowOperations : public OperationFlows {
  public:
    /// Starts an operation and returns it at once, in progress.
    virtual Result<FlowOperation> start(const OperationRequest& request) = 0;

    /// Current state of an operation; NotFound where it does not exist.
    virtual Result<FlowOperation> find(std::string_view id) = 0;

    /// As find(), but waits up to `at_most` for the operation to end.
    virtual Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) = 0;

    /// Ends a running operation before its next flows.
    virtual Result<void> cancel(std::string_view id) = 0;

    /// Newest first.
    virtual Result<std::vector<FlowOperation>> list(const OperationSelection& selection) = 0;
};

class StreamExceptionPolicies {
  public:
    virtual ~StreamExceptionPolicies() = default;

    virtual Result<EndpointPolicy> status(const EndpointName& endpoint) = 0;
    virtual Result<EndpointPolicy> apply(const PolicyRequest& request) = 0;
    virtual Result<EndpointPolicy> remove(const PolicyRequest& request) = 0;

    /// Whether the caller is permitted to change the policy there.
    [[nodiscard]] virtual Result<void> may_change(const EndpointName& /*endpoint*/) const { return {}; }
};

/// Addresses whose packets are kept away; it applies to a whole network namespace.
class Quarantines {
  public:
    virtual ~Quarantines() = default;

    virtual Result<EndpointQuarantine> quarantined(const EndpointName& endpoint) = 0;
    virtual Result<EndpointQuarantine> add(const QuarantineRequest& request) = 0;
    virtual Result<EndpointQuarantine> extend(const QuarantineRequest& request) = 0;
    virtual Result<EndpointQuarantine> remove(const QuarantineRequest& request) = 0;
};

class FlowTables {
  public:
    virtual ~FlowTables() = default;

    /// Reads the whole table.
    virtual Result<TableStatistics> statistics(const EndpointName& endpoint) = 0;
};

class EndedFlows {
  public:
    virtual ~EndedFlows() = default;

    /// Ended flows, as far as the process that manages the gateway remembers them. A reader that is too slow misses
    /// some, and gets a record of the gap.
    virtual Result<void> for_each_ended(const EndedFlowQuery& query, const RecordSink& sink) = 0;
};

class Gateway {
  public:
    virtual ~Gateway() = default;

    virtual FlowOperations& operations() = 0;
    virtual StreamExceptionPolicies& policies() = 0;
    virtual Quarantines& quarantines() = 0;
    virtual FlowTables& tables() = 0;
    virtual EndedFlows& ended_flows() = 0;
};

}  // namespace headgate::gateway
