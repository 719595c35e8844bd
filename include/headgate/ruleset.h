// SPDX-License-Identifier: GPL-2.0-or-later
// The stream exception policy in the kernel: the nftables table `inet headgate` in one network namespace. One of
// headgate's four interfaces to the outside: midstream::KernelRuleset is the real one, and the tests hold an in-memory
// one to the same conformance tests.
//
// Not thread-safe: an object serves one caller at a time. Several objects may work concurrently, also on one namespace.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "headgate/flow_table.h"
#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

namespace headgate {

/// Which packets a counter counts, as far as the policy can tell.
enum class PacketDirection : std::uint8_t {
    Original,  ///< of a flushed flow, sent by its initiator
    Reply,     ///< of a flushed flow, sent by the other side
    Any,       ///< midstream packets of unknown flows
};
template <>
inline constexpr auto kNames<PacketDirection> = name_list("original", "reply", "any");

struct PolicyCounter {
    std::string policy;
    Hook hook = Hook::Forward;
    PacketDirection direction = PacketDirection::Any;
    std::string protocol;  ///< `tcp`, `udp`, `sctp`, `icmp`, `icmpv6`, `other`
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    friend bool operator==(const PolicyCounter&, const PolicyCounter&) = default;
};

/// For the time `left`, every midstream packet of the protocol counts as one of a flushed flow.
struct MidstreamWindow {
    Protocol protocol{};
    std::chrono::seconds left{0};

    friend bool operator==(const MidstreamWindow&, const MidstreamWindow&) = default;
};

/// Whether the kernel still has the applied policy.
enum class RulesetCondition : std::uint8_t {
    NothingApplied,
    AsApplied,
    Changed,     ///< another program edited the table
    Missing,     ///< another program removed the table, for example by `nft flush ruleset`
    Unverified,  ///< the table exists, but there is no record of what was applied
};
template <>
inline constexpr auto kNames<RulesetCondition> = name_list("none", "as_applied", "changed", "missing", "unverified");

struct RulesetStatus {
    std::optional<StreamExceptionPolicy> policy;  ///< in force; without description and log, which are unknown
    RulesetCondition condition = RulesetCondition::NothingApplied;
    std::string missing_policy;  ///< name of the applied policy, if the table is missing
    std::vector<PolicyCounter> counters;
    std::uint64_t remembered_flows = 0;
    std::vector<MidstreamWindow> windows;
};

enum class Application : std::uint8_t {
    Done,
    NotNeeded,  ///< the kernel already had exactly this policy
};

enum class Remembered : std::uint8_t {
    All,
    None,  ///< not enough room for all of them
};

/// How long a flow is remembered: for `time`; without one, as long as its own timeout has left, or, where that is not
/// known, as of an offloaded flow, for the usual time.
[[nodiscard]] inline std::chrono::seconds memory_of(const Flow& flow, std::optional<std::chrono::seconds> time) {
    constexpr std::chrono::seconds kLongestTimeout{UINT32_MAX};  // CTA_TIMEOUT has 32 bits
    if (time) return *time;
    return flow.timeout && flow.timeout->count() > 0 ? std::min(*flow.timeout, kLongestTimeout)
                                                     : StreamExceptionPolicy::kUsualMemory;
}

class Ruleset {
  public:
    virtual ~Ruleset() = default;

    /// The policy that the kernel has; none if there is no table or no nf_tables. Cheap.
    virtual Result<std::optional<StreamExceptionPolicy>> in_force() = 0;

    /// Puts the policy in force; no packet slips through during the change. Counters, remembered flows and windows are
    /// kept. Does nothing if the kernel already has exactly this policy, including its log; returns which was the case.
    virtual Result<Application> apply(const StreamExceptionPolicy& policy) = 0;

    /// Removes the policy and everything that it remembers. Succeeds if no policy is in force.
    virtual Result<void> remove() = 0;

    /// Whether the kernel still has the applied policy.
    virtual Result<RulesetCondition> condition() = 0;

    /// Packets that policies caught since they were applied, by counter; counters of earlier policies are kept. Empty
    /// if there is no table or no nf_tables. Cheap, however much is remembered.
    virtual Result<std::vector<PolicyCounter>> counters() = 0;

    /// All of the above, and what is remembered. Takes longer the more flows are remembered.
    virtual Result<RulesetStatus> status() = 0;

    /// Remembers each of these flows for memory_of(flow, time) from now, both directions as seen on the wire; all of
    /// them or none. Requires a policy in force with scope Flushed.
    virtual Result<Remembered> remember(std::span<const FlowRow> rows, std::optional<std::chrono::seconds> time) = 0;

    /// Forgets flows that were remembered but then not ended. Flows that are not remembered are no error.
    virtual Result<void> forget(std::span<const FlowRow> rows) = 0;

    /// For `time` from now, every midstream packet of this connection-oriented protocol counts as one of a flushed
    /// flow. Requires a policy in force with scope Flushed.
    virtual Result<void> open_window(Protocol protocol, std::chrono::seconds time) = 0;
};

}  // namespace headgate
