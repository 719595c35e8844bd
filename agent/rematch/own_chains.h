// SPDX-License-Identifier: GPL-2.0-or-later
// The judge's own chains around a copied ruleset: where probes ask for a report of their way, and where it ends.
#pragma once

#include <cstdint>

#include "rematch/bytecode.h"
#include "rematch/nft_batch.h"

namespace headgate::rematch {

/// The judge's own table, of family inet, and netdev where the ruleset filters at ingress. A gateway's tables are named
/// by nft's grammar, which has no exclamation mark.
inline constexpr char kOwnTable[] = "headgate!";
/// Its chains in which a probe's way ends: refused by none, so accepted.
inline constexpr char kInputEnd[] = "input";
inline constexpr char kOutputEnd[] = "postrouting";
/// Its chain in which a sentinel ends.
inline constexpr char kBeginning[] = "prerouting";

/// IPv4's identification, and IPv6's flow label, of a probe whose whole way is to be reported.
inline constexpr std::uint16_t kTracedProbe = 0x4847;

/// `sentinel`: index of the link on which sentinels arrive. With chains at ingress where the ruleset has some.
void add_own_chains(NftBatch& batch, const RulesetBytecode& ruleset, std::uint32_t sentinel);

}  // namespace headgate::rematch
