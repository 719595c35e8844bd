// SPDX-License-Identifier: GPL-2.0-or-later
// Flushed flows that the table remembers, read back from the kernel, and windows.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "midstream/flushed_sets.h"
#include "midstream/nft_table.h"

namespace headgate::midstream {

/// Number of flows remembered in the sets of that size.
[[nodiscard]] Result<std::uint64_t> count_remembered_flows(NftTable& table, std::uint32_t size);

[[nodiscard]] Result<std::vector<MidstreamWindow>> open_windows(NftTable& table);

/// Opens a window, or extends an open one to last at least `time`.
[[nodiscard]] Result<void> extend_window(NftTable& table, Protocol protocol, std::chrono::milliseconds time);

}  // namespace headgate::midstream
