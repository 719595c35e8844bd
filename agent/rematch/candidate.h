// SPDX-License-Identifier: GPL-2.0-or-later
// A candidate for the ruleset: the text of a file for `nft -f`, applied to a copy of the ruleset in force.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

#include "rematch/bytecode.h"

namespace headgate::rematch {

/// What a candidate must not do: include files, wait for events, or name rules by handle, which are others in a copy.
/// Empty: nothing of it.
[[nodiscard]] std::string objection_to(std::string_view candidate);

/// In the calling thread's network namespace, which must have the gateway's links and no tables, and has none after it.
/// Returns what would be in force: rules with their texts, and with their handles if they are in force now. Unloadable:
/// the candidate does not load; the message is nft's.
[[nodiscard]] Result<RulesetBytecode> apply_candidate(const RulesetBytecode& in_force, const std::string& candidate);

}  // namespace headgate::rematch
