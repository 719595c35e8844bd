// SPDX-License-Identifier: GPL-2.0-or-later
// How a policy replaces what is in the table, in nftables syntax. Pure functions: the table's contents in, text out.
//
// Rules cannot be replaced in one transaction without a gap. Old and new chains are called one after the other, and
// each applies the rules that it has at that moment (nf_tables_core.c, nft_do_chain): a packet in flight when the
// transaction takes effect can pass the new chain while it is still empty and the old one when it is already empty. A
// packet that arrived before the new chain existed does not pass it at all, and verdict maps of old rules are empty
// from that moment on, too (nf_tables_api.c, nf_tables_commit). So the new chains are added first, and the old ones
// removed when every packet passes the new ones. Until then packets pass both, and both count what both accept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headgate/stream_exception_policy.h"

#include "midstream/nft_messages.h"

namespace headgate::midstream {

/// The first generation of which none of the chains is, whichever program created them.
[[nodiscard]] std::uint32_t free_generation(const std::vector<TableChain>& chains);

/// Adds the policy beside the existing chains. Only the note is replaced.
[[nodiscard]] std::string addition_text(const StreamExceptionPolicy& policy, const std::vector<TableChain>& chains);

/// Removes the chains and the sets. The note, already the new policy's, is kept. Empty if there is nothing to remove.
[[nodiscard]] std::string removal_text(const std::vector<TableChain>& chains, const std::vector<std::string>& sets);

}  // namespace headgate::midstream
