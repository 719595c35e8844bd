// SPDX-License-Identifier: GPL-2.0-or-later
// headgate's exit statuses. A stable interface for scripts.
#pragma once

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "base/error_kinds.h"

namespace headgate::cli {

enum class ExitCode : int {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NothingMatched = 3,  ///< or everything that matched is protected; of a rematch: nothing is refused
    CompletedWithErrors = 4,
    Refused = 5,
};

[[nodiscard]] constexpr ExitCode exit_code(ErrorKind kind) {
    return ExitCode{facts_of(kind).exit_code};
}

/// Done if `result` is a success, otherwise its error.
[[nodiscard]] inline Result<ExitCode> done(const Result<void>& result) {
    return result.map([] { return ExitCode::Done; });
}

[[nodiscard]] inline ExitCode exit_code(const FlowOperation& operation) {
    if (operation.status == OperationStatus::Failed) return ExitCode::Failed;
    if (operation.status == OperationStatus::CompletedWithErrors) return ExitCode::CompletedWithErrors;
    const auto& counts = operation.counts;
    if (kind_of(operation.type).has_verdicts) {
        return counts.of(VerdictResult::Refused) == 0 ? ExitCode::NothingMatched : ExitCode::Done;
    }
    return counts.matched == counts.protected_flows ? ExitCode::NothingMatched : ExitCode::Done;
}

}  // namespace headgate::cli
