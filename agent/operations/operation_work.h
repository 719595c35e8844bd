// SPDX-License-Identifier: GPL-2.0-or-later
// The work of an operation: one function for each type, in a file of its own (capture.cpp, flush.cpp, ...). It acts on
// table and ruleset, and stores nothing: what it finds and does goes to a listener.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/judge.h"
#include "headgate/operation_store.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "operations/operation_request.h"

namespace headgate::operations {

/// Follows the work of one operation, and keeps its flows.
class WorkListener {
  public:
    virtual ~WorkListener() = default;

    /// Called several times a second while flows are searched, and before each block of flows is changed. An error ends
    /// the search, or spares the rest.
    virtual Result<void> may_go_on() { return {}; }

    /// Flows that the work does not change: those that a capture found or a rematch judged, protected ones, those
    /// spared after an error, and, without an outcome, those that a dry run would have changed. An error ends the work,
    /// or spares the rest.
    virtual Result<void> left_alone(std::span<const FlowRow> flows) = 0;

    // For work that changes flows.

    /// All checks have passed, nothing has changed yet. An error ends the work.
    virtual Result<void> begun() { return {}; }

    /// The policy that the request names was put in force, or could not be. Not called where it was in force already.
    virtual void policy_applied(const Result<void>& /*result*/) {}

    /// Before these flows are ended. An error spares them and the rest.
    virtual Result<void> about_to_end(std::span<const FlowRow> rows) = 0;

    /// The outcomes of these flows, in order. An error spares the rest.
    virtual Result<void> ended(std::span<const FlowRow> endings) = 0;
};

/// Where and when an operation works.
struct WorkPlace {
    FlowTable& table;
    Ruleset& ruleset;
    const Clock& clock;
    Moment moment;
    Judge* judge = nullptr;                ///< by the endpoint's ruleset; null: there is none
    std::filesystem::path spool_folder{};  ///< for many rows, where there is no temporary directory
};

/// Runs in the calling thread, and updates counts, plan, phase, warnings and policy in `operation`, whose query has
/// been validated. On error no flow was changed.
using OperationWork = Result<void>(const OperationRequest& request, const WorkPlace& place, FlowOperation& operation,
                                   WorkListener& listener);

/// Reports matching flows as they are found.
OperationWork run_capture;

/// Identifies matching flows, checks that they may be ended, and ends exactly those.
OperationWork run_flush;

/// Judges matching flows by the ruleset in force, or by a candidate, and reports them with their verdicts.
OperationWork run_rematch;

/// The work of a type.
[[nodiscard]] OperationWork& work_of(OperationType type);

/// For work that searches the table: scans it with the operation's query, and keeps plan and counts in the operation.
[[nodiscard]] Result<void> scan_table(const WorkPlace& place, FlowOperation& operation, WorkListener& listener,
                                      const std::function<Result<void>(std::span<const FlowRow>)>& matched);

/// For work that changes nothing and needs no policy: failure to read the one in force is a warning.
void name_policy(Ruleset& ruleset, FlowOperation& operation);

/// Refuses flows of another endpoint, where the same tuples denote other flows. The message begins with `what`, the
/// rows' source.
[[nodiscard]] Result<void> check_captured_on(const Endpoint& captured, const Endpoint& wanted, std::string_view what);

}  // namespace headgate::operations
