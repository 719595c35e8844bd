// From whatever is in the table to a policy, with no moment in which neither holds.
#pragma once

#include <vector>

#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

#include "midstream/nft_table.h"
#include "midstream/nftables.h"

namespace headgate::midstream {

/// Replaces the table's rules by the policy's; `chains` are those that are there. Counters, remembered flows and open
/// windows stay. A process that is killed meanwhile may leave both, which the next change replaces. To be called in the
/// table's network namespace.
[[nodiscard]] Result<void> change_policy(NftTable& table, Nftables& nftables, const std::vector<TableChain>& chains,
                                         const StreamExceptionPolicy& policy);

}  // namespace headgate::midstream
