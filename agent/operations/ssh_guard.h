// SPDX-License-Identifier: GPL-2.0-or-later
// Protection of SSH sessions during one flush, so that it does not cut the operator's own connection.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headgate/flow_query.h"

namespace headgate::operations {

/// SSH sessions into this machine. Filters match both directions, translated or not.
struct SshGuard {
    std::vector<FlowFilter> sessions;  ///< spared, like protected flows
    bool is_own = false;               ///< only the caller's own, which is known; false: all sessions
    std::vector<FlowFilter> unknown;   ///< possible sessions, which are not spared
    std::string fault;                 ///< why the search failed; empty if it succeeded
};

/// Selects the flows that a flush spares, counts them, and warns.
class GuardedSessions {
  public:
    explicit GuardedSessions(const SshGuard& guard);

    [[nodiscard]] bool includes(const Flow& flow) const noexcept;

    /// Count a matching flow by what is done to it.
    void count_protected(const Flow& flow) noexcept;
    void count_flushed(const Flow& flow) noexcept;

    /// Adds warnings for the operator.
    void append_warnings(std::vector<std::string>& warnings) const;

  private:
    const SshGuard& guard_;
    FlowQuery sessions_;
    FlowQuery unknown_;
    std::uint64_t sessions_counted_ = 0;
    std::uint64_t unknown_counted_ = 0;
};

}  // namespace headgate::operations
