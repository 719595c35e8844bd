// Flush: identify the flows that match, make sure that they may be ended, end exactly those.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "operations/flush_policy.h"

namespace headgate::operations {

/// Hands over rows that were captured before, block by block.
using RowSource = std::function<Result<void>(const std::function<Result<void>(std::span<const FlowRow>)>&)>;

struct FlushRequest {
    FlowQuery query;
    RowSource captured;  ///< if given, exactly these flows are flushed, and the query is not asked
    Endpoint endpoint;
    std::vector<FlowFilter> protected_filters;  ///< flows that match one, either way round, are left alone
    std::optional<std::uint64_t> maximum_flows;
    bool dry_run = false;
    PolicyRequest policy;
};

/// What a flush is about to do.
struct FlushPreview {
    std::uint64_t matched = 0;
    std::uint64_t protected_flows = 0;
    std::span<const FlowRow> first_rows;  ///< some of them, protected ones too
    std::string stream_exception_policy;  ///< what will be in force for their packets
    std::vector<std::string> warnings;
};

class FlushObserver {
  public:
    virtual ~FlushObserver() = default;

    virtual void planned(std::string_view /*plan*/) {}
    virtual Result<void> progressed(std::uint64_t /*scanned*/) { return {}; }

    /// Asked once, before the first delete, when at least one flow would be ended. An error refuses the flush.
    virtual Result<void> confirm(const FlushPreview& preview) = 0;

    /// Asked between blocks of flows: whether to leave the rest alone.
    [[nodiscard]] virtual bool stop_requested() const { return false; }

    /// The guards are passed: endings follow.
    virtual void begun(const FlowOperation& operation) = 0;

    virtual void ended(const FlowEnding& ending) = 0;

    /// A flow that a dry run would have ended.
    virtual void would_end(const Flow& flow) = 0;
};

/// Runs to its end in the calling thread. `query` has been validated. An error means that no flow was ended.
[[nodiscard]] Result<FlowOperation> run_flush(FlowTable& table, Ruleset& ruleset, const Clock& clock,
                                              const FlushRequest& request, FlushObserver& observer);

}  // namespace headgate::operations
