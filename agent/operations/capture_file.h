// Reads back the flows that `headgate capture --output json|ndjson` wrote.
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

#include "operations/patient_input.h"

namespace headgate::operations {

/// What a file says beside its rows.
struct CaptureFileFacts {
    bool is_whole = false;             ///< or fewer rows than the summary says, or no summary: picked, or cut short
    std::optional<Endpoint> endpoint;  ///< where it was captured, by the summary

    friend bool operator==(const CaptureFileFacts&, const CaptureFileFacts&) = default;
};

using CapturedRows = std::function<Result<void>(std::span<const FlowRow>)>;

/// Hands over the rows in blocks, with empty keys. Constant memory. An error names the place and the rule.
/// A byte order mark may stand first (editors of other systems leave one). Either the whole text is readable or it is
/// an error: the caller keeps the blocks until the end is known.
[[nodiscard]] Result<CaptureFileFacts> read_capture(std::istream& text, const CapturedRows& take);

/// The same from a file or a pipe (PatientInput), which errors then name, too.
[[nodiscard]] Result<CaptureFileFacts> read_capture_file(const std::string& path, const CapturedRows& take,
                                                         std::chrono::milliseconds patience = PatientInput::kPatience);

}  // namespace headgate::operations
