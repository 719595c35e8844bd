// SPDX-License-Identifier: GPL-2.0-or-later
// Stream exception policies: what happens to packets of a connection that has no flow (any more). Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/names.h"
#include "headgate/protocol.h"

namespace headgate {

/// The action on a midstream packet.
enum class StreamException : std::uint8_t {
    Drop,
    Reject,    ///< a TCP reset to the sender; for other protocols ICMP administratively prohibited
    Continue,  ///< the operator's own rules see the packet as new
};
template <>
inline constexpr auto kNames<StreamException> = name_list("drop", "reject", "continue");

/// The midstream packets that a policy applies to.
enum class MidstreamScope : std::uint8_t {
    All,      ///< all of them, as in AWS Network Firewall
    Flushed,  ///< packets of recently flushed flows
};
template <>
inline constexpr auto kNames<MidstreamScope> = name_list("all", "flushed");

/// The netfilter hooks in which a policy can act.
enum class Hook : std::uint8_t { Forward, Input, Output };
template <>
inline constexpr auto kNames<Hook> = name_list("forward", "input", "output");

/// The nftables log statement for packets that a policy catches, rate-limited so that it cannot flood the log.
struct PacketLog {
    std::string prefix;                    ///< printable ASCII without `"`, `\` and `$`; at most kLongestLogPrefix
    std::uint32_t packets_per_second = 5;  ///< 1..10000

    friend bool operator==(const PacketLog&, const PacketLog&) = default;
};
inline constexpr std::size_t kLongestLogPrefix = 127;  ///< NF_LOG_PREFIXLEN (include/uapi/linux/netfilter/nf_log.h) - 1

struct StreamExceptionPolicy {
    /// Conntrack processes packets at priority -200 (NF_IP_PRI_CONNTRACK), before which they have no entry; its helpers
    /// run at 300 (NF_IP_PRI_CONNTRACK_HELPER, both include/uapi/linux/netfilter_ipv4.h).
    static constexpr int kFirstPriority = -199;
    static constexpr int kLastPriority = 299;
    static constexpr std::size_t kLongestName = 32;
    static constexpr std::chrono::seconds kUsualMemory{300};
    static constexpr std::string_view kConnectionMemory = "connection";  ///< as files and JSON write an absent time
    static constexpr std::chrono::seconds kLongestMemory = std::chrono::hours{24 * 7};
    static constexpr std::uint32_t kLargestMemory = 1U << 20U;

    std::string name;         ///< letters, digits, `-`, `_`, starting with a letter; at most kLongestName
    std::string description;  ///< one sentence for the operator
    StreamException exception = StreamException::Drop;
    MidstreamScope scope = MidstreamScope::Flushed;
    /// Whether Reject also answers packets that conntrack calls invalid and that cannot be distinguished from packets
    /// outside the window of a tracked connection. A reset would end that connection. Requires scope All.
    bool reject_invalid = false;
    std::vector<Hook> hooks = {Hook::Forward, Hook::Input};  ///< at least one, no duplicates
    int priority = -195;                                     ///< kFirstPriority..kLastPriority
    std::optional<PacketLog> log;
    /// 1..kLongestMemory; absent: each flow as long as its own timeout had left (ruleset.h, memory_of)
    std::optional<std::chrono::seconds> remember_flushed_for = kUsualMemory;
    std::uint32_t remember_at_most = 65536;  ///< flows per address family; 1..kLargestMemory

    /// How long a window stays open.
    [[nodiscard]] std::chrono::seconds window_time() const { return remember_flushed_for.value_or(kUsualMemory); }

    friend bool operator==(const StreamExceptionPolicy&, const StreamExceptionPolicy&) = default;
};

/// Whether the first packet of a connection can be distinguished from later ones, so that midstream is defined without
/// knowing the flow.
[[nodiscard]] constexpr bool is_connection_oriented(Protocol protocol) {
    return protocol == Protocol::Tcp || protocol == Protocol::Sctp;
}

}  // namespace headgate
