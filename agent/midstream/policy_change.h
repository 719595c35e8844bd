// From whatever is in the table to a policy, in one transaction.
#pragma once

#include <vector>

#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

#include "midstream/nft_table.h"
#include "midstream/nftables.h"

namespace headgate::midstream {

/// Replaces the table's rules by the policy's; `chains` are those that are there. Counters, remembered flows and open
/// windows stay. To be called in the table's network namespace.
[[nodiscard]] Result<void> change_policy(NftTable& table, Nftables& nftables, const std::vector<TableChain>& chains,
                                         const StreamExceptionPolicy& policy);

}  // namespace headgate::midstream
