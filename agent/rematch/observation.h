// SPDX-License-Identifier: GPL-2.0-or-later
// What was seen of a probe, and the verdict that follows from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "headgate/judge.h"

#include "rematch/instrumentation.h"
#include "rematch/probe.h"

namespace headgate::rematch {

/// Where a probe was dropped.
struct Drop {
    std::optional<std::size_t> rule;  ///< index in the ruleset; absent: by the policy of a chain
    std::uint8_t family = 0;          ///< of the chain
    std::string table{};
    std::string chain{};
};

struct Observation {
    std::uint8_t way = 0;              ///< packet_way bits that it may have taken
    std::size_t inputs = 1;            ///< links by which it may have come: routes back to the source
    std::optional<FlowTuple> arrived;  ///< accepted, with these headers
    std::optional<Drop> drop;
    std::vector<std::size_t> tripped;  ///< indices of tripwires
    std::string last_chain;            ///< that reported it, if nothing decided
    std::string fault;                 ///< why nothing can be said, whatever was seen; empty: none
};

struct JudgedBy {
    const RulesetBytecode& ruleset;
    const InstrumentedRuleset& instrumented;
};

/// Whether the probe's connection began with the flow's mark.
enum class MarkWorld : std::uint8_t { Unmarked, Marked };

struct Conclusion {
    FlowVerdict verdict;
    bool mark_matters = false;  ///< rules read the connection's mark where the probe has none and the flow has one
};

[[nodiscard]] Conclusion conclude(const Question& question, const Observation& seen, MarkWorld world,
                                  const JudgedBy& judged_by);

[[nodiscard]] RuleReference reference_to(const RuleBytecode& rule);

}  // namespace headgate::rematch
