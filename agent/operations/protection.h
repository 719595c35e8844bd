// SPDX-License-Identifier: GPL-2.0-or-later
// What one flush spares, by rules: SSH sessions, so that it does not cut the operator's own connection, the caller's
// connection to the agent, and protected filters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headgate/flow_query.h"

#include "operations/operation_request.h"

namespace headgate::operations {

/// Selects the flows that a flush spares, counts them by rule, and warns.
class Protection {
  public:
    explicit Protection(const OperationRequest& request);

    [[nodiscard]] bool includes(const Flow& flow) const noexcept;

    /// Counts a matching flow. Returns whether it is spared.
    bool count(const Flow& flow) noexcept;

    /// The rules that spare flows, and how many. A flow counts for the first one that matches.
    [[nodiscard]] std::vector<ProtectedBy> counts() const;

    /// Adds warnings for the operator.
    void append_warnings(std::vector<std::string>& warnings) const;

  private:
    struct Rule {
        ProtectedBy counted;
        FlowQuery flows;
    };

    const SshGuard& guard_;
    std::vector<Rule> rules_;  ///< the first one is that of SSH sessions
    FlowQuery unknown_;
    std::uint64_t unknown_counted_ = 0;
};

}  // namespace headgate::operations
