// SPDX-License-Identifier: GPL-2.0-or-later
// Loads a ruleset's bytecode into the calling thread's network namespace: as it is, or instrumented, with chains of the
// judge's own around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "rematch/instrumentation.h"

namespace headgate::rematch {

/// What the user data of a rule in the copy says.
struct RuleTag {
    std::size_t rule = 0;
    std::optional<std::size_t> tripwire;
};

/// Absent for a rule that is not a copy.
[[nodiscard]] std::optional<RuleTag> parse_tag(netlink::Bytes user_data);

/// The namespace must have no tables. Rules get handles of their own, in the order of `ruleset`.
[[nodiscard]] Result<void> load_as_it_is(const RulesetBytecode& ruleset);

/// `sentinel`: index of the link on which sentinels arrive.
[[nodiscard]] Result<void> load_instrumented(const RulesetBytecode& ruleset, const InstrumentedRuleset& instrumented,
                                             std::uint32_t sentinel);

[[nodiscard]] Result<void> remove_all_tables();

}  // namespace headgate::rematch
