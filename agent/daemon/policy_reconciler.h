// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps a stream exception policy in force at one endpoint while other programs change nftables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "headgate/result.h"
#include "headgate/ruleset.h"
#include "headgate/stream_exception_policy.h"

#include "operations/audit_trail.h"

namespace headgate::daemon {

/// The state of the ruleset before keep() changed anything.
enum class PolicyFinding : std::uint8_t {
    InForce,     ///< nothing to do
    Nothing,     ///< no policy had been applied, or headgate had removed it
    Missing,     ///< another program removed the table, for example `nft flush ruleset`
    Changed,     ///< another program modified the table
    Unverified,  ///< the table existed, but there was no record of what had been applied
    Another,     ///< another policy, or an earlier version of this one, was in force
};

struct Kept {
    PolicyFinding found = PolicyFinding::InForce;
    std::string wanted;  ///< name of the policy in force now; empty: none is to be
    std::string before;  ///< name of the policy before; empty: none

    friend bool operator==(const Kept&, const Kept&) = default;
};

/// A message for the log: `the table inet headgate was missing (nft flush ruleset?): policy reject is in force again`.
[[nodiscard]] std::string describe(const Kept& kept);

/// A change for the audit trail, which the configuration requested.
[[nodiscard]] operations::PolicyChange change_of(const Kept& kept, const Endpoint& endpoint);

/// Not thread-safe.
class PolicyReconciler {
  public:
    /// The ruleset must outlive this object. Without a wanted policy, none is to be in force.
    PolicyReconciler(Ruleset& ruleset, std::optional<StreamExceptionPolicy> wanted)
        : ruleset_(ruleset), wanted_(std::move(wanted)) {}

    /// Applies the policy, or removes the one that was applied, unless this is so already; then it changes nothing. May
    /// therefore be called after any change, also after one that this call itself made.
    [[nodiscard]] Result<Kept> keep();

  private:
    [[nodiscard]] Result<Kept> look();
    [[nodiscard]] Result<Kept> keep_none();

    Ruleset& ruleset_;
    std::optional<StreamExceptionPolicy> wanted_;
};

}  // namespace headgate::daemon
