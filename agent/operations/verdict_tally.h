// SPDX-License-Identifier: GPL-2.0-or-later
// Counts the flows of a rematch by verdict, rule and reason, and shares equal verdicts among them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "headgate/flow.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_verdict.h"
#include "headgate/operation_flows.h"

namespace headgate::operations {

class VerdictTally {
  public:
    /// Counts the flow, and returns its verdict, shared with those before that are equal. Longer texts than
    /// kLongestText are cut.
    [[nodiscard]] SharedVerdict count(const Flow& flow, FlowVerdict verdict);

    /// Updates the operation's counts.
    void update(OperationCounts& counts) const;

    /// Sets the rules that refuse flows and the reasons of unknown verdicts, kMostListed of each, with a warning where
    /// there are more.
    void conclude(FlowOperation& operation) const;

    /// Bytes: nft lists a set within a rule with all its elements.
    static constexpr std::size_t kLongestText = 400;
    static constexpr std::size_t kMostListed = 100;

  private:
    struct Tallied {
        SharedVerdict verdict;
        std::uint64_t flows = 0;
        std::optional<std::uint64_t> bytes;
    };

    const SharedVerdict allowed_{FlowVerdict{.result = VerdictResult::Allowed}};  ///< without more, as most are
    std::map<PackedBytes, Tallied> others_;  ///< by the verdict, packed; without translated ones, each its own
    decltype(OperationCounts::verdicts) counts_{0, 0, 0, 0};
};

}  // namespace headgate::operations
