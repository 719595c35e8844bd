// Reads back the flows that `headgate capture --output json|ndjson` wrote.
#pragma once

#include <functional>
#include <istream>
#include <span>
#include <string>

#include "headgate/flow_table.h"
#include "headgate/result.h"

namespace headgate::operations {

/// How a file ends.
enum class CaptureFileEnd : std::uint8_t {
    Whole,
    Part,  ///< fewer or other rows than the summary says, or no summary: picked from a capture, or cut short
};

using CapturedRows = std::function<Result<void>(std::span<const FlowRow>)>;

/// Hands over the rows in blocks, with empty keys. Constant memory. An error names the place and the rule.
/// Either the whole text is readable or it is an error: the caller keeps the blocks until the end is known.
[[nodiscard]] Result<CaptureFileEnd> read_capture(std::istream& text, const CapturedRows& take);

/// The same from a file, which errors then name, too.
[[nodiscard]] Result<CaptureFileEnd> read_capture_file(const std::string& path, const CapturedRows& take);

}  // namespace headgate::operations
