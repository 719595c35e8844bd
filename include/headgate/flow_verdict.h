// SPDX-License-Identifier: GPL-2.0-or-later
// What a judge (judge.h) finds out about flows, and by which ruleset. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "headgate/address.h"
#include "headgate/names.h"

namespace headgate {

enum class VerdictResult : std::uint8_t {
    Allowed,     ///< shown to be accepted, with the same translation
    Refused,     ///< shown to be dropped or rejected, whatever cannot be decided
    Translated,  ///< shown to be accepted, but to another destination or from another source address
    Unknown,     ///< everything else
};
template <>
inline constexpr auto kNames<VerdictResult> = name_list("allowed", "refused", "translated", "unknown");

enum class RefusalKind : std::uint8_t {
    Drop,
    Reject,
    Policy,  ///< of a base chain: no rule decided
};
template <>
inline constexpr auto kNames<RefusalKind> = name_list("drop", "reject", "policy");

/// A rule of nftables; or, without handle, the policy of a chain, or a rule of a candidate, which has no handle yet.
struct RuleReference {
    std::string family;  ///< `inet`, `ip`, `ip6`, `netdev`
    std::string table;
    std::string chain;
    std::optional<std::uint64_t> handle;
    std::string text;  ///< as nft lists it, without handle: `tcp dport 22 drop`; `policy drop`; empty: unknown

    friend bool operator==(const RuleReference&, const RuleReference&) = default;
};

/// Where a connection would be sent, and from where it would seem to come.
struct Translation {
    Address source;
    Address destination;
    std::uint16_t destination_port = 0;  ///< 0: the protocol has no ports

    friend bool operator==(const Translation&, const Translation&) = default;
};

struct FlowVerdict {
    VerdictResult result = VerdictResult::Unknown;
    std::optional<RefusalKind> kind{};    ///< of a refused flow
    std::optional<RuleReference> rule{};  ///< that refuses the flow; for an unknown verdict, what could not be decided
    std::vector<std::string>
        assumes{};  ///< on which an allowed or translated flow's verdict rests: "limit not exceeded"
    std::optional<Translation> then{};  ///< of a translated flow
    std::string reason{};               ///< of an unknown verdict; the same text for the same cause, to be counted by

    friend bool operator==(const FlowVerdict&, const FlowVerdict&) = default;
};

enum class RulesetSource : std::uint8_t {
    InForce,
    Candidate,  ///< the ruleset in force, changed by the candidate's commands
};
template <>
inline constexpr auto kNames<RulesetSource> = name_list("in_force", "candidate");

/// The ruleset by which flows are judged.
struct JudgedRuleset {
    RulesetSource source = RulesetSource::InForce;
    std::uint32_t generation = 0;       ///< of the ruleset in force when it was read (NFTA_GEN_ID)
    std::vector<std::string> warnings;  ///< what else decides about packets and was not judged: "tc filters on eth0"

    friend bool operator==(const JudgedRuleset&, const JudgedRuleset&) = default;
};

/// A verdict that many flows share, as a rule refuses many. Compared by what it says; may be absent.
class SharedVerdict {
  public:
    SharedVerdict() = default;
    explicit SharedVerdict(FlowVerdict verdict) : verdict_(std::make_shared<const FlowVerdict>(std::move(verdict))) {}

    [[nodiscard]] explicit operator bool() const noexcept { return verdict_ != nullptr; }
    [[nodiscard]] const FlowVerdict& operator*() const noexcept { return *verdict_; }
    [[nodiscard]] const FlowVerdict* operator->() const noexcept { return verdict_.get(); }

    /// Tells shared verdicts apart without a look at what they say.
    [[nodiscard]] const FlowVerdict* get() const noexcept { return verdict_.get(); }

    [[nodiscard]] bool is(VerdictResult result) const noexcept { return verdict_ && verdict_->result == result; }

    friend bool operator==(const SharedVerdict& a, const SharedVerdict& b) {
        return a.verdict_ == b.verdict_ || (a && b && *a == *b);
    }

  private:
    std::shared_ptr<const FlowVerdict> verdict_;
};

}  // namespace headgate
