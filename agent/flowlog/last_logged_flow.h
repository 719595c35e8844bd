// SPDX-License-Identifier: GPL-2.0-or-later
// Finds how far the records of a flush have come in a flow log file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "headgate/flow.h"
#include "headgate/result.h"

namespace headgate::flowlog {

/// The `flow_id` of the last record of a flow that the operation flushed; absent if there is none. Reads both formats.
/// Searches back to records of flows that ended before `since`. Missing: the file does not exist.
[[nodiscard]] Result<std::optional<std::uint64_t>> last_logged_flow(const std::filesystem::path& file,
                                                                    const std::string& operation_id, Timestamp since);

}  // namespace headgate::flowlog
