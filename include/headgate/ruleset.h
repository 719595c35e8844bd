// What of a stream exception policy is in the kernel: the table `inet headgate` of nftables in one network namespace.
// One of headgate's seams to the outside; the real one is midstream::KernelRuleset, and the tests hold a second one in
// memory to the same conformance.
//
// One object serves one caller at a time: not thread-safe. Two objects may work at once, also on one namespace.
#pragma once

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

/// Whose packets a counter counted, as far as the policy knows.
enum class PacketDirection : std::uint8_t {
    Original,  ///< of a flushed flow, from the side that had begun it
    Reply,     ///< of a flushed flow, from the other side
    Any,       ///< midstream, of a flow that nothing is known about
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

/// For this long, every midstream packet of the protocol is taken for one of a flushed flow.
struct MidstreamWindow {
    Protocol protocol{};
    std::chrono::seconds left{0};

    friend bool operator==(const MidstreamWindow&, const MidstreamWindow&) = default;
};

/// Whether the kernel still has what was applied.
enum class RulesetCondition : std::uint8_t {
    NothingApplied,
    AsApplied,
    Changed,     ///< somebody edited the table
    Missing,     ///< somebody removed the table: `nft flush ruleset`, for one
    Unverified,  ///< it is there, but what was applied is not on record here
};
template <>
inline constexpr auto kNames<RulesetCondition> = name_list("none", "as_applied", "changed", "missing", "unverified");

struct RulesetStatus {
    std::optional<StreamExceptionPolicy> policy;  ///< in force; description and log are not known
    RulesetCondition condition = RulesetCondition::NothingApplied;
    std::string missing_policy;  ///< the name of what was applied, when the table is missing
    std::vector<PolicyCounter> counters;
    std::uint64_t remembered_flows = 0;
    std::vector<MidstreamWindow> windows;
};

enum class Application : std::uint8_t {
    Done,
    NotNeeded,  ///< the kernel had exactly this already
};

enum class Remembered : std::uint8_t {
    All,
    None,  ///< no room for so many
};

class Ruleset {
  public:
    virtual ~Ruleset() = default;

    /// The policy that the kernel has; none where there is no table or no nf_tables. Cheap.
    virtual Result<std::optional<StreamExceptionPolicy>> in_force() = 0;

    /// Puts the policy in force; no packet slips through meanwhile. Counters, remembered flows and windows stay. Does
    /// nothing when the kernel has exactly this already, its log included; tells which it was.
    virtual Result<Application> apply(const StreamExceptionPolicy& policy) = 0;

    /// Takes the policy away with all that it remembers. Nothing in force is no error.
    virtual Result<void> remove() = 0;

    /// Whether the kernel still has what was applied.
    virtual Result<RulesetCondition> condition() = 0;

    /// What policies have caught since they were applied, by counter; those of earlier policies are still there. None
    /// where there is no table or no nf_tables. Cheap, however much is remembered.
    virtual Result<std::vector<PolicyCounter>> counters() = 0;

    /// All of the above, and what is remembered; takes the longer the more is remembered.
    virtual Result<RulesetStatus> status() = 0;

    /// Remembers these flows, both directions of each as they are seen on the wire, from now on for that long; all of
    /// them or none. Takes a policy in force whose scope is Flushed.
    virtual Result<Remembered> remember(std::span<const FlowRow> rows, std::chrono::seconds time) = 0;

    /// Forgets flows that were remembered: they were not ended after all. Those that are not remembered are no error.
    virtual Result<void> forget(std::span<const FlowRow> rows) = 0;

    /// From now on for that long, every midstream packet of this connection-oriented protocol is taken for one of a
    /// flushed flow. Takes a policy in force whose scope is Flushed.
    virtual Result<void> open_window(Protocol protocol, std::chrono::seconds time) = 0;
};

}  // namespace headgate
