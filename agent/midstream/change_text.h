// How a policy takes the place of what is in the table, in nftables' own language. Pure: what is there in, text out.
//
// Rules cannot be replaced in one transaction without a gap. New chains and old ones are called one after the other,
// and each finds the rules of its moment (nf_tables_core.c, nft_do_chain): so a packet that is under way when the
// transaction takes effect can pass the new chain still empty and the old one already empty. One that came before the
// new chain was there does not meet it at all, and verdict maps of old rules are empty from that moment on too
// (nf_tables_api.c, nf_tables_commit). So the new chains are added first, and the old ones removed when every packet
// meets the new ones. Until then packets pass both, and what both let go on is counted by both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headgate/stream_exception_policy.h"

#include "midstream/nft_messages.h"

namespace headgate::midstream {

/// The first that none of the chains is of, whoever made them.
[[nodiscard]] std::uint32_t free_edition(const std::vector<TableChain>& chains);

/// Adds the policy beside the chains that are there. Only the note is another one.
[[nodiscard]] std::string addition_text(const StreamExceptionPolicy& policy, const std::vector<TableChain>& chains);

/// Removes the chains and the sets. The note, the policy's by now, stays. Empty where there is nothing to remove.
[[nodiscard]] std::string removal_text(const std::vector<TableChain>& chains, const std::vector<std::string>& sets);

}  // namespace headgate::midstream
