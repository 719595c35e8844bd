// SSH sessions on behalf of one flush, so that it does not cut the branch that somebody sits on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headgate/flow_query.h"

namespace headgate::operations {

/// What is known of SSH sessions into this machine. Filters hold either way round, translated or not.
struct SshGuard {
    std::vector<FlowFilter> sessions;  ///< left alone as protected flows are
    bool is_own = false;               ///< the caller's own alone, since it is known; otherwise all, since none is
    std::vector<FlowFilter> unknown;   ///< may be sessions, and are not left alone
    std::string fault;                 ///< why sessions could not be looked for; empty: they were
};

/// Tells a flush which flows to leave alone, counts, and says why.
class GuardedSessions {
  public:
    explicit GuardedSessions(const SshGuard& guard);

    [[nodiscard]] bool includes(const Flow& flow) const noexcept;

    /// A flow that matches, and what is done to it.
    void count_protected(const Flow& flow) noexcept;
    void count_flushed(const Flow& flow) noexcept;

    /// Adds what the operator should know.
    void append_warnings(std::vector<std::string>& warnings) const;

  private:
    const SshGuard& guard_;
    FlowQuery sessions_;
    FlowQuery unknown_;
    std::uint64_t sessions_counted_ = 0;
    std::uint64_t unknown_counted_ = 0;
};

}  // namespace headgate::operations
