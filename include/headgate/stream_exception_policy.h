// What happens to the packets of a connection that has no flow (any more): a stream exception policy. Plain values.
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

/// What is done to a midstream packet.
enum class StreamException : std::uint8_t {
    Drop,
    Reject,    ///< a TCP reset to its sender; ICMP administratively prohibited where the protocol is another
    Continue,  ///< the operator's own rules see it as new
};
template <>
inline constexpr auto kNames<StreamException> = name_list("drop", "reject", "continue");

/// Which midstream packets.
enum class MidstreamScope : std::uint8_t {
    All,      ///< every one, as AWS Network Firewall does it
    Flushed,  ///< those of flows that were flushed a short while ago
};
template <>
inline constexpr auto kNames<MidstreamScope> = name_list("all", "flushed");

/// Netfilter's hooks in which a policy can stand.
enum class Hook : std::uint8_t { Forward, Input, Output };
template <>
inline constexpr auto kNames<Hook> = name_list("forward", "input", "output");

/// nftables' own log statement for the packets that a policy catches, limited so that it cannot flood the log.
struct PacketLog {
    std::string prefix;                    ///< printable ASCII without `"`, `\` and `$`, kLongestLogPrefix at most
    std::uint32_t packets_per_second = 5;  ///< 1..10000

    friend bool operator==(const PacketLog&, const PacketLog&) = default;
};
inline constexpr std::size_t kLongestLogPrefix = 127;  ///< NF_LOG_PREFIXLEN (include/uapi/linux/netfilter/nf_log.h) - 1

struct StreamExceptionPolicy {
    /// Conntrack looks at packets at priority -200 (NF_IP_PRI_CONNTRACK) and knows nothing before; its helpers come at
    /// 300 (NF_IP_PRI_CONNTRACK_HELPER, both include/uapi/linux/netfilter_ipv4.h).
    static constexpr int kFirstPriority = -199;
    static constexpr int kLastPriority = 299;
    static constexpr std::size_t kLongestName = 32;
    static constexpr std::chrono::seconds kLongestMemory = std::chrono::hours{24 * 7};
    static constexpr std::uint32_t kLargestMemory = 1U << 20U;

    std::string name;         ///< letters, digits, `-`, `_`, beginning with a letter; kLongestName at most
    std::string description;  ///< one sentence, for people
    StreamException exception = StreamException::Drop;
    MidstreamScope scope = MidstreamScope::Flushed;
    /// Whether Reject also answers packets that conntrack calls invalid where they cannot be told from those that fall
    /// out of the window of a tracked connection. A reset would end that connection. Takes scope All.
    bool reject_invalid = false;
    std::vector<Hook> hooks = {Hook::Forward, Hook::Input};  ///< at least one, none twice
    int priority = -195;                                     ///< kFirstPriority..kLastPriority
    std::optional<PacketLog> log;
    std::chrono::seconds remember_flushed_for{300};  ///< 1..kLongestMemory
    std::uint32_t remember_at_most = 65536;          ///< flows, of each family; 1..kLargestMemory

    friend bool operator==(const StreamExceptionPolicy&, const StreamExceptionPolicy&) = default;
};

/// Whether a packet that begins a connection can be told from one in the middle of it, so that midstream has a meaning
/// without knowing the flow.
[[nodiscard]] constexpr bool is_connection_oriented(Protocol protocol) {
    return protocol == Protocol::Tcp || protocol == Protocol::Sctp;
}

}  // namespace headgate
