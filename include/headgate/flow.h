// A flow: one entry of the kernel's conntrack table, as a plain value. What the kernel did not tell is absent, never 0.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "headgate/address.h"
#include "headgate/names.h"
#include "headgate/protocol.h"

namespace headgate {

/// Wall clock: conntrack stamps entries with ktime_get_real_ns() (nf_conntrack_core.c, __nf_conntrack_insert_prepare).
using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// What identifies a packet's flow in one direction.
struct FlowTuple {
    Address source;
    Address destination;
    Protocol protocol{};
    std::uint16_t source_port = 0;       ///< host order; for GRE the key (nf_conntrack_tuple_common.h)
    std::uint16_t destination_port = 0;  ///< host order; for GRE the key
    std::uint8_t icmp_type = 0;          ///< ICMP and ICMPv6 alone have type, code and id, and no ports
    std::uint8_t icmp_code = 0;
    std::uint16_t icmp_id = 0;

    friend bool operator==(const FlowTuple&, const FlowTuple&) = default;
};

/// The same endpoints with source and destination exchanged.
[[nodiscard]] FlowTuple swapped(const FlowTuple& tuple);

/// Whether its flow is told apart by ports. A kernel that has no tracker for DCCP, SCTP or UDP-Lite (DCCP's was removed
/// in 6.17) knows such a flow by its addresses alone and tells no port (nf_conntrack_core.c, nf_ct_get_tuple). Nobody
/// has port 0 there: it is reserved (RFC 6335, section 6).
[[nodiscard]] constexpr bool has_ports(const FlowTuple& tuple) {
    const bool always = tuple.protocol == Protocol::Tcp || tuple.protocol == Protocol::Udp;
    return always || (has_ports(tuple.protocol) && (tuple.source_port != 0 || tuple.destination_port != 0));
}

struct Counters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    friend bool operator==(const Counters&, const Counters&) = default;
};

/// In which direction a conntrack zone tells entries apart (include/net/netfilter/nf_conntrack_zones.h). Almost always
/// both.
enum class ZoneDirection : std::uint8_t { Both, Original, Reply };
template <>
inline constexpr auto kNames<ZoneDirection> = name_list("both", "original", "reply");

/// Bits of Flow::status (include/uapi/linux/netfilter/nf_conntrack_common.h, enum ip_conntrack_status).
namespace flow_status {
inline constexpr std::uint32_t kSeenReply = 1U << 1U;
inline constexpr std::uint32_t kAssured = 1U << 2U;
inline constexpr std::uint32_t kConfirmed = 1U << 3U;
inline constexpr std::uint32_t kDying = 1U << 9U;
}  // namespace flow_status

struct Flow {
    FlowTuple original;    ///< as the initiator sent it
    FlowTuple reply;       ///< as answers come back: differs from swapped(original) where there is NAT
    std::uint32_t id = 0;  ///< CTA_ID as conntrack(8) prints it: guards against a reused tuple
    std::uint16_t zone = 0;
    ZoneDirection zone_direction = ZoneDirection::Both;
    std::uint32_t status = 0;                     ///< flow_status bits
    std::optional<std::uint32_t> mark;            ///< absent where the kernel keeps none
    std::optional<std::chrono::seconds> timeout;  ///< until it ends without a packet; absent for offloaded flows
    std::optional<std::uint8_t> protocol_state;   ///< the protocol's own number (TCP, SCTP, DCCP)
    std::optional<Counters> counters_original;    ///< absent when made while nf_conntrack_acct was 0
    std::optional<Counters> counters_reply;
    std::optional<Timestamp> started;  ///< absent when made while nf_conntrack_timestamp was 0
    std::optional<Timestamp> stopped;  ///< present in the last event alone

    friend bool operator==(const Flow&, const Flow&) = default;
};

/// The addresses as they left after NAT.
[[nodiscard]] FlowTuple translated(const Flow& flow);

/// Over both directions; absent when the kernel counted neither.
[[nodiscard]] std::optional<std::uint64_t> total_bytes(const Flow& flow);

/// When flows are looked at, by two clocks: the one that conntrack stamps them with, which may be set while they live,
/// and the one that counts from the boot, which may not.
struct Moment {
    Timestamp now{};
    std::optional<std::chrono::seconds> up{};  ///< since the boot (CLOCK_BOOTTIME); absent where it is not known
    /// For how long nf_conntrack_timestamp is known to have been on without a break. A flow without a time stamp is
    /// older (nf_conntrack_timestamp.h, nf_ct_tstamp_ext_add: the extension is given when the entry is made, or never).
    std::optional<std::chrono::seconds> timestamps_for{};
};

/// Time since the flow began, until now or until it ended; never negative. Absent without a time stamp, and where the
/// time stamp cannot be right: it is later than now, or earlier than the boot. Then the clock was set meanwhile.
[[nodiscard]] std::optional<std::chrono::seconds> age(const Flow& flow, const Moment& moment);

enum class FlowState : std::uint8_t { New, Established, Closed };
template <>
inline constexpr auto kNames<FlowState> = name_list("NEW", "ESTABLISHED", "CLOSED");

[[nodiscard]] FlowState state(const Flow& flow);

/// The protocol's own name of its state, such as `SYN_SENT`; absent where it has none or the kernel did not tell.
[[nodiscard]] std::optional<std::string_view> protocol_state_name(const Flow& flow);

/// The number behind such a name; absent for a name that the protocol does not have.
[[nodiscard]] std::optional<std::uint8_t> parse_protocol_state(Protocol protocol, std::string_view name);

/// How many bits of Flow::status have a name.
inline constexpr unsigned kStatusBits = 16;

/// A status bit's name as the kernel's enum has it without `IPS_`; `bit` is below kStatusBits.
[[nodiscard]] std::string_view status_name(unsigned bit);

/// What a flush did to one flow.
enum class Outcome : std::uint8_t {
    Flushed,
    Gone,       ///< ended by itself, or was replaced, before we came
    Failed,     ///< still there: the error is told
    Protected,  ///< left alone on purpose
};
template <>
inline constexpr auto kNames<Outcome> = name_list("flushed", "gone", "failed", "protected");

}  // namespace headgate
