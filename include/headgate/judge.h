// SPDX-License-Identifier: GPL-2.0-or-later
// Rematch: which flows the ruleset in force, or a candidate for it, would no longer allow. A flow is allowed if a
// connection like it, beginning now, would be. An interface to the outside, as the flow table is: rematch::KernelJudge
// is the real one, and tests have one in memory.
//
// Not thread-safe: an object serves one operation at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "headgate/flow.h"
#include "headgate/flow_verdict.h"
#include "headgate/result.h"

namespace headgate {

/// Bytes that the text of a candidate may have.
inline constexpr std::size_t kLongestCandidate = std::size_t{4} << 20U;

class Judge {
  public:
    virtual ~Judge() = default;

    /// Reads the ruleset in force and what a packet's way depends on besides, applies `candidate`, the text of a file
    /// for `nft -f`, to a copy of it, and keeps the result for judge(). Changes nothing in the gateway. Unloadable: the
    /// candidate does not load; the message is nft's.
    virtual Result<JudgedRuleset> prepare(const std::optional<std::string>& candidate) = 0;

    /// A verdict for each flow, in order, by the ruleset of the last prepare(), which must have succeeded. Any number
    /// of flows; a few thousand at a time keep memory low.
    virtual Result<std::vector<FlowVerdict>> judge(std::span<const Flow> flows) = 0;

    /// The generation of the ruleset in force now: verdicts hold as long as it is the one of the last prepare().
    virtual Result<std::uint32_t> generation_now() = 0;
};

}  // namespace headgate
