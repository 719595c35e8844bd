// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the flows of a flow operation that a flow log file has records of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "headgate/flow.h"
#include "headgate/result.h"

namespace headgate::flowlog {

/// Their `flow_id`, in ascending order; reads both formats. Searches back to records of flows that ended before
/// `since`. ENOENT: the file does not exist.
[[nodiscard]] Result<std::vector<std::uint64_t>> logged_flows(const std::filesystem::path& file,
                                                              std::string_view operation_id, Timestamp since);

}  // namespace headgate::flowlog
