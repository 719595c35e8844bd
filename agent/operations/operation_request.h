// SPDX-License-Identifier: GPL-2.0-or-later
// A request for an operation: one value from the interface that receives it to the work that it starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

namespace headgate::operations {

/// Passes on rows captured earlier, in blocks, and returns where they were captured, if known.
using RowSource =
    std::function<Result<std::optional<Endpoint>>(const std::function<Result<void>(std::span<const FlowRow>)>&)>;

/// The SSH sessions into this machine that a flush must not cut. Filters match both directions, translated or not.
struct SshGuard {
    std::vector<FlowFilter> sessions;  ///< spared, like protected flows
    bool is_own = false;               ///< only the caller's own, which is known; false: all sessions
    std::vector<FlowFilter> unknown;   ///< possible sessions, which are not spared
    std::string fault;                 ///< why the search failed; empty if it succeeded
};

/// The query is validated, and without filters where the flows were captured before.
struct OperationRequest : FlowRequest {
    EndpointName endpoint;                    ///< may be empty with `from_operation`: the endpoint of that operation
    bool no_fast_scan = false;                ///< read the flow table through ctnetlink alone
    std::optional<std::string> ruleset_text;  ///< of a rematch: a candidate, as for `nft -f`; absent: what is in force
    std::string token;                        ///< idempotency key: a repeated request starts nothing. Empty: none

    // How flows are ended.
    RowSource captured;                              ///< exactly these flows, regardless of the query
    std::optional<std::uint32_t> judged_generation;  ///< of the ruleset by which they were judged; refuse if it changed
    std::optional<std::uint64_t> maximum_flows;
    std::vector<FlowFilter> protected_filters;  ///< spare flows that match one in either direction
    std::optional<FlowFilter> own_flows;        ///< likewise: the caller's TCP flows to the agent; from the connection
    CallerSessions sessions;                    ///< likewise: the caller's SSH sessions
    std::optional<std::string> stream_exception_policy;  ///< to apply, by name; absent: leave it
    bool require_policy = false;   ///< refuse if flushed TCP flows could continue because no policy is in force
    bool own_flows_alone = false;  ///< the policy may affect no packets but those of flushed flows

    // Added by the gateway that carries the request out. It also resolves the endpoint's names, restricts the query to
    // the endpoint, sets the query's states, and adds the protected flows of the configuration.
    std::string asked;  ///< the whole request as text, to tell a repeated request from another one with the same token
    SshGuard ssh;       ///< SSH sessions to spare
    std::optional<StreamExceptionPolicy> policy;  ///< the one to apply before the first flow is ended
};

}  // namespace headgate::operations
