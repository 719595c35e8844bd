// Keeps a stream exception policy in force at one endpoint, whatever others do to nftables.
#pragma once

#include <cstdint>
#include <string>

#include "headgate/result.h"
#include "headgate/ruleset.h"
#include "headgate/stream_exception_policy.h"

namespace headgate::daemon {

/// How things were before anything was done about it.
enum class PolicyFinding : std::uint8_t {
    InForce,     ///< nothing had to be done
    Nothing,     ///< no policy had been applied, or somebody had taken it away by headgate
    Missing,     ///< somebody had removed the table: `nft flush ruleset`, for one
    Changed,     ///< somebody had edited the table
    Unverified,  ///< the table was there, but what had been applied was not on record
    Another,     ///< another policy was in force, or an earlier wording of this one
};

struct Kept {
    PolicyFinding found = PolicyFinding::InForce;
    std::string wanted;  ///< the name of the policy that is in force now
    std::string before;  ///< the name of the one that was; empty where there was none

    friend bool operator==(const Kept&, const Kept&) = default;
};

/// One line for people: `the table inet headgate was missing (nft flush ruleset?): policy reject is in force again`.
[[nodiscard]] std::string describe(const Kept& kept);

/// Not thread-safe.
class PolicyKeeper {
  public:
    /// The ruleset outlives this object.
    PolicyKeeper(Ruleset& ruleset, StreamExceptionPolicy wanted) : ruleset_(ruleset), wanted_(std::move(wanted)) {}

    /// Sees to it that the policy is in force. Changes nothing where it is, so that it can be asked whenever something
    /// may have changed, also by this very call.
    [[nodiscard]] Result<Kept> keep();

  private:
    [[nodiscard]] Result<Kept> look();

    Ruleset& ruleset_;
    StreamExceptionPolicy wanted_;
};

}  // namespace headgate::daemon
