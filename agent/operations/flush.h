// Flush: identify the flows that match, make sure that they may be ended, end exactly those.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/operation_store.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "operations/flush_policy.h"
#include "operations/ssh_guard.h"

namespace headgate::operations {

/// Hands over rows that were captured before, block by block, and tells where they were captured, if that is known.
using RowSource =
    std::function<Result<std::optional<Endpoint>>(const std::function<Result<void>(std::span<const FlowRow>)>&)>;

/// Refuses flows of another endpoint: there, the same tuples would be other flows. `what` they come from begins the
/// message.
[[nodiscard]] Result<void> check_captured_on(const Endpoint& captured, const Endpoint& wanted, std::string_view what);

/// What a flush needs to know beside the operation itself.
struct FlushRequest {
    RowSource captured;                         ///< if given, exactly these flows are flushed: the query is not asked
    std::optional<std::uint16_t> only_zone;     ///< refuse where a captured flow is of another conntrack zone
    std::vector<FlowFilter> protected_filters;  ///< flows that match one, either way round, are left alone
    SshGuard ssh;                               ///< and these
    std::optional<std::uint64_t> maximum_flows;
    std::filesystem::path spool_folder;  ///< for many flows, where there are no temporary files
    PolicyRequest policy;
};

/// Follows a flush and keeps its journal.
class FlushObserver {
  public:
    virtual ~FlushObserver() = default;

    virtual void planned(std::string_view /*plan*/) {}

    /// While flows are identified. An error ends the flush with it.
    virtual Result<void> progressed(std::uint64_t /*scanned*/) { return {}; }

    /// The guards are passed, and nothing is changed so far. An error ends the flush with it.
    virtual Result<void> begun(const FlowOperation& /*operation*/) { return {}; }

    /// Asked before each block of flows. An error leaves the rest alone.
    virtual Result<void> may_go_on() { return {}; }

    /// Flows that are about to be ended. An error leaves them alone, and the rest.
    virtual Result<void> about_to_end(std::span<const FlowRow> rows) = 0;

    /// What became of them, in their order. An error leaves the rest alone.
    virtual Result<void> ended(std::span<const FlowEnding> endings) = 0;

    /// Flows that nothing was done to: protected ones, those that an error left alone, and, without an outcome, what a
    /// dry run would have ended. An error leaves the rest alone.
    virtual Result<void> left_alone(std::span<const StoredFlow> flows) = 0;
};

/// Runs to its end in the calling thread, and counts in `operation`, whose query has been validated. An error means
/// that no flow was ended.
[[nodiscard]] Result<void> run_flush(FlowTable& table, Ruleset& ruleset, const Moment& moment,
                                     const FlushRequest& request, FlowOperation& operation, FlushObserver& observer);

}  // namespace headgate::operations
