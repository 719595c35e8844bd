// SPDX-License-Identifier: GPL-2.0-or-later
// The rules by which a copy of the ruleset answers for each probe: what decides, copied; what only records, left out;
// and in place of what cannot be decided, tripwires.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rematch/bytecode.h"
#include "rematch/expression_classes.h"

namespace headgate::rematch {

/// Stands before or in place of a rule with an expression that is not exact, and has all of the rule's conditions that
/// are: a packet that passes it by could not have matched the rule, whatever the expression says.
struct Tripwire {
    ExpressionClass expression;  ///< never Exact, Omitted or Reject
    std::size_t rule = 0;        ///< index in the ruleset
};

/// A rule of the copy: a rule of the ruleset, or a tripwire of one.
struct CopiedRule {
    std::size_t rule = 0;  ///< index in the ruleset, also of a tripwire's rule
    std::optional<std::size_t> tripwire;
    std::vector<Expression> expressions;
};

struct InstrumentedRuleset {
    std::vector<CopiedRule> rules;  ///< in the order of the ruleset
    std::vector<Tripwire> tripwires;
    bool sets_zones = false;          ///< rules assign connections to conntrack zones
    bool reads_source_ports = false;  ///< or ICMP's identifiers, as far as is known
};

/// `other_link_types`: links are not all Ethernet, while their copies are.
[[nodiscard]] InstrumentedRuleset instrument(const RulesetBytecode& ruleset, bool other_link_types);

}  // namespace headgate::rematch
