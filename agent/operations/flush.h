// SPDX-License-Identifier: GPL-2.0-or-later
// Flush: identifies matching flows, checks that they may be ended, and ends exactly those.
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

/// Passes on rows captured earlier, in blocks, and returns where they were captured, if known.
using RowSource =
    std::function<Result<std::optional<Endpoint>>(const std::function<Result<void>(std::span<const FlowRow>)>&)>;

/// Refuses flows of another endpoint, where the same tuples denote other flows. The message begins with `what`, the
/// rows' source.
[[nodiscard]] Result<void> check_captured_on(const Endpoint& captured, const Endpoint& wanted, std::string_view what);

/// Parameters of a flush beside the operation.
struct FlushRequest {
    RowSource captured;                         ///< if set, exactly these flows are flushed, and the query is unused
    std::optional<std::uint16_t> only_zone;     ///< refuse captured flows of another conntrack zone
    std::vector<FlowFilter> protected_filters;  ///< flows matching one in either direction are spared
    SshGuard ssh;                               ///< and these SSH sessions
    std::optional<std::uint64_t> maximum_flows;
    std::filesystem::path spool_folder;  ///< for many flows, where there is no temporary directory
    PolicyRequest policy;
};

/// Follows a flush and keeps its journal.
class FlushObserver {
  public:
    virtual ~FlushObserver() = default;

    virtual void planned(std::string_view /*plan*/) {}

    /// While flows are being identified. An error ends the flush.
    virtual Result<void> progressed(std::uint64_t /*scanned*/) { return {}; }

    /// All checks have passed, nothing has changed yet. An error ends the flush.
    virtual Result<void> begun(const FlowOperation& /*operation*/) { return {}; }

    /// Before each block of flows. An error spares the rest.
    virtual Result<void> may_go_on() { return {}; }

    /// Before these flows are ended. An error spares them and the rest.
    virtual Result<void> about_to_end(std::span<const FlowRow> rows) = 0;

    /// The outcomes of these flows, in order. An error spares the rest.
    virtual Result<void> ended(std::span<const FlowRow> endings) = 0;

    /// Untouched flows: protected ones, those spared after an error, and, without an outcome, those that a dry run
    /// would have ended. An error spares the rest.
    virtual Result<void> left_alone(std::span<const StoredFlow> flows) = 0;
};

/// Runs in the calling thread, and updates the counts in `operation`, whose query has been validated. On error no flow
/// was ended.
[[nodiscard]] Result<void> run_flush(FlowTable& table, Ruleset& ruleset, const Moment& moment,
                                     const FlushRequest& request, FlowOperation& operation, FlushObserver& observer);

}  // namespace headgate::operations
