// SPDX-License-Identifier: GPL-2.0-or-later
// Changes the table to a policy without a moment in which neither the old rules nor the new ones apply.
#pragma once

#include <vector>

#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

#include "midstream/nft_table.h"
#include "midstream/nftables.h"

namespace headgate::midstream {

/// Replaces the table's rules by the policy's; `chains` are the existing ones. Counters, remembered flows and open
/// windows are kept. If the process is killed meanwhile, both sets of rules may remain, which the next change replaces.
/// Call it in the table's network namespace.
[[nodiscard]] Result<void> change_policy(NftTable& table, Nftables& nftables, const std::vector<TableChain>& chains,
                                         const StreamExceptionPolicy& policy);

}  // namespace headgate::midstream
