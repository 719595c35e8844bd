// A gateway, as the faces see it: everything that can be asked of one. LocalGateway does it in this process; the
// command line also has one that asks the agent over its socket.
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

#include "gateway/proof.h"
#include "operations/flush.h"
#include "sessions/session_search.h"

namespace headgate::gateway {

/// Which endpoint somebody means. What may go unsaid is what leaves no choice.
struct EndpointName {
    std::optional<std::string> firewall;
    std::optional<std::string> availability_zone;
    std::optional<std::string> network_namespace;  ///< for a one-off run, in place of the other two

    friend bool operator==(const EndpointName&, const EndpointName&) = default;
};

/// A capture or a flush, as somebody orders it. Its query is validated, and without filters where the flows have been
/// captured before.
struct OperationOrder : FlowRequest {
    EndpointName endpoint;       ///< with `from_operation` and no name at all: that operation's
    std::string token;           ///< of the request: one that is ordered again is not done again. Empty: none
    std::optional<Proof> proof;  ///< where the request was signed: a copy of it starts nothing

    // Of a flush.
    operations::RowSource captured;  ///< flush exactly these
    std::optional<std::uint64_t> maximum_flows;
    std::vector<FlowFilter> spared;       ///< what is protected beside the configuration's
    std::optional<FlowFilter> own_flows;  ///< likewise: how the caller reaches the agent; no part of what they ask
    sessions::CallerSessions sessions;    ///< likewise
    std::optional<std::string> stream_exception_policy;  ///< to be in force, by name; absent: the one that is
    bool require_policy = false;   ///< refuse when flushed TCP flows could come back, for want of a policy
    bool own_flows_alone = false;  ///< the policy may catch no packets but those of flows that are flushed
};

/// A change of the stream exception policy, as somebody orders it.
struct PolicyOrder {
    EndpointName endpoint;
    std::string policy;  ///< by name; unused to remove
    bool include_protected = false;
    sessions::CallerSessions sessions;
    Caller caller;
};

/// What is in force on an endpoint.
struct EndpointPolicy {
    Endpoint endpoint;
    RulesetStatus status;
    std::vector<std::string> warnings;  ///< what the caller should know before the first packet tells
};

struct FlowKind {
    Family family{};
    Protocol protocol{};
    FlowState state{};

    friend auto operator<=>(const FlowKind&, const FlowKind&) = default;
};

/// How full a flow table is, and of what.
struct TableCensus {
    TableUsage usage;
    std::optional<std::uint64_t> peak;  ///< the most that an agent has seen in use; nothing where none has looked
    std::map<FlowKind, std::uint64_t> flows;
};

/// Which flows that have ended somebody wants to be told of.
struct EndedFlowQuery {
    std::vector<EndReason> reasons;                     ///< none: whatever the reason, and without one
    std::vector<FlowFilter> filters;                    ///< none: every flow
    std::optional<std::vector<std::string>> firewalls;  ///< absent: of every firewall
    std::size_t latest = 1000;                          ///< how many that ended before are looked at
    bool follow = false;                                ///< and those that end from now on

    /// Asked again and again while flows are waited for: whether nobody wants them any more.
    std::function<bool()> is_over = [] { return false; };
};

/// Takes the next record, in the form of EVE, without a line end. What it returns as an error ends the telling.
using RecordSink = std::function<Result<void>(std::string_view record)>;

/// Thread-safe.
class Gateway {
  public:
    virtual ~Gateway() = default;

    /// Starts it and returns at once, with an operation in progress.
    virtual Result<FlowOperation> start(const OperationOrder& order) = 0;

    /// As it stands now; ENOENT where there is none.
    virtual Result<FlowOperation> find(std::string_view id) = 0;

    /// As find(), but waits for its end for so long.
    virtual Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) = 0;

    /// A running operation leaves alone what it has not come to, and ends.
    virtual Result<void> cancel(std::string_view id) = 0;

    /// Newest first.
    virtual Result<std::vector<FlowOperation>> list(const OperationSelection& selection) = 0;

    /// The flows of an operation from the `first` on, as far as they are known by now, in constant memory. Those of a
    /// flush are known when it has ended.
    virtual Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) = 0;

    /// `count` of them from the `first` on; fewer at the end.
    virtual Result<std::vector<StoredFlow>> flows(std::string_view id, std::uint64_t first, std::size_t count) = 0;

    virtual Result<TableCensus> count_flows(const EndpointName& endpoint) = 0;

    virtual Result<EndpointPolicy> policy_status(const EndpointName& endpoint) = 0;
    virtual Result<EndpointPolicy> apply_policy(const PolicyOrder& order) = 0;
    virtual Result<EndpointPolicy> remove_policy(const PolicyOrder& order) = 0;

    /// Flows that have ended, as far as the process remembers them that manages the gateway. Some may be missed by one
    /// who takes them too slowly: a record says so.
    virtual Result<void> for_each_ended(const EndedFlowQuery& query, const RecordSink& take) = 0;
};

}  // namespace headgate::gateway
