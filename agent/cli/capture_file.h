// SPDX-License-Identifier: GPL-2.0-or-later
// Parses flows written by `headgate capture --output json|ndjson`.
#pragma once

#include <chrono>
#include <functional>
#include <istream>
#include <optional>
#include <span>
#include <string>

#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "cli/patient_input.h"

namespace headgate::cli {

/// Facts about a file beside its rows.
struct CaptureFileFacts {
    bool is_whole = false;             ///< false: no summary, or fewer rows than it states: edited or truncated
    std::optional<Endpoint> endpoint;  ///< from the summary: where it was captured

    friend bool operator==(const CaptureFileFacts&, const CaptureFileFacts&) = default;
};

using CapturedRows = std::function<Result<void>(std::span<const FlowRow>)>;

/// Passes on the rows in blocks, with empty keys, in constant memory. Errors name the place and the rule. A byte order
/// mark at the start is skipped. An error may follow after blocks were passed on, so the caller must hold them back
/// until this returns.
[[nodiscard]] Result<CaptureFileFacts> read_capture(std::istream& text, const CapturedRows& sink);

/// Likewise from a file or pipe (PatientInput), whose name errors include.
[[nodiscard]] Result<CaptureFileFacts> read_capture_file(const std::string& path, const CapturedRows& sink,
                                                         std::chrono::milliseconds patience = PatientInput::kPatience);

}  // namespace headgate::cli
