// What the table remembers of flushed flows, read back from the kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "midstream/flushed_sets.h"
#include "midstream/nft_table.h"

namespace headgate::midstream {

/// What is in the sets of flushed flows, those left out that are empty or not there.
[[nodiscard]] Result<std::vector<SetElements>> remembered_elements(NftTable& table);

[[nodiscard]] std::uint64_t count_flows(const std::vector<SetElements>& remembered);

[[nodiscard]] Result<std::vector<MidstreamWindow>> open_windows(NftTable& table);

}  // namespace headgate::midstream
