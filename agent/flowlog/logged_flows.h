// Which flows of a flow operation a file has records of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "headgate/flow.h"
#include "headgate/result.h"

namespace headgate::flowlog {

/// Their `flow_id`, in ascending order; in either format. Looks no further back than to records of flows that ended
/// before `since`. ENOENT: there is no such file.
[[nodiscard]] Result<std::vector<std::uint64_t>> logged_flows(const std::filesystem::path& file,
                                                              std::string_view operation_id, Timestamp since);

}  // namespace headgate::flowlog
