// SPDX-License-Identifier: GPL-2.0-or-later
// A flow: one entry of the kernel's conntrack table, as a plain value. An unreported value is absent, never 0.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "headgate/address.h"
#include "headgate/flow_verdict.h"
#include "headgate/names.h"
#include "headgate/protocol.h"

namespace headgate {

/// Wall clock: conntrack stamps entries with ktime_get_real_ns() (nf_conntrack_core.c, __nf_conntrack_insert_prepare).
using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Identifies the packets of a flow in one direction.
struct FlowTuple {
    Address source;
    Address destination;
    Protocol protocol{};
    std::uint16_t source_port = 0;       ///< host order; for GRE the key (nf_conntrack_tuple_common.h)
    std::uint16_t destination_port = 0;  ///< host order; for GRE the key
    std::uint8_t icmp_type = 0;          ///< type, code and id: ICMP and ICMPv6 only, which have no ports
    std::uint8_t icmp_code = 0;
    std::uint16_t icmp_id = 0;

    friend bool operator==(const FlowTuple&, const FlowTuple&) = default;
};

/// The tuple with source and destination exchanged.
[[nodiscard]] FlowTuple swapped(const FlowTuple& tuple);

/// Whether ports identify the flow. A kernel without a tracker for DCCP, SCTP or UDP-Lite (DCCP's was removed in 6.17)
/// identifies such flows by addresses alone and reports no ports (nf_conntrack_core.c, nf_ct_get_tuple). Port 0 then
/// means "no port": it is reserved (RFC 6335, section 6).
[[nodiscard]] constexpr bool has_ports(const FlowTuple& tuple) {
    const bool always = tuple.protocol == Protocol::Tcp || tuple.protocol == Protocol::Udp;
    return always || (has_ports(tuple.protocol) && (tuple.source_port != 0 || tuple.destination_port != 0));
}

struct Counters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    friend bool operator==(const Counters&, const Counters&) = default;
};

/// The directions in which a conntrack zone distinguishes entries (include/net/netfilter/nf_conntrack_zones.h). Almost
/// always both.
enum class ZoneDirection : std::uint8_t { Both, Original, Reply };
template <>
inline constexpr auto kNames<ZoneDirection> = name_list("both", "original", "reply");

/// Bits of Flow::status (include/uapi/linux/netfilter/nf_conntrack_common.h, enum ip_conntrack_status).
namespace flow_status {
inline constexpr std::uint32_t kSeenReply = 1U << 1U;
inline constexpr std::uint32_t kAssured = 1U << 2U;
inline constexpr std::uint32_t kConfirmed = 1U << 3U;
inline constexpr std::uint32_t kDying = 1U << 9U;
inline constexpr std::uint32_t kOffloaded = 1U << 14U;
}  // namespace flow_status

struct Flow {
    FlowTuple original;    ///< addresses as the initiator sent them
    FlowTuple reply;       ///< addresses of reply packets: differs from swapped(original) under NAT
    std::uint32_t id = 0;  ///< CTA_ID, as conntrack(8) prints it; guards against a reused tuple
    std::uint16_t zone = 0;
    ZoneDirection zone_direction = ZoneDirection::Both;
    std::uint32_t status = 0;                     ///< flow_status bits
    std::optional<std::uint32_t> mark;            ///< absent if the kernel keeps no marks
    std::optional<std::chrono::seconds> timeout;  ///< until the flow ends without a packet; absent for offloaded flows
    std::optional<std::uint8_t> protocol_state;   ///< the protocol's own state number (TCP, SCTP, DCCP)
    std::optional<Counters> counters_original;    ///< absent if created while nf_conntrack_acct was 0
    std::optional<Counters> counters_reply;
    std::optional<Timestamp> started;  ///< absent if created while nf_conntrack_timestamp was 0
    std::optional<Timestamp> stopped;  ///< present only in DESTROY events

    // What a connection also needs to go on after it was put back (FlowTable::insert). Zero if there is none.
    std::array<std::uint32_t, 2> sctp_tags{};  ///< SCTP's verification tags, of the original and the reply direction
    std::array<std::byte, 16> labels{};        ///< set by `ct label`
    std::array<char, 16> helper{};             ///< the connection tracking helper's name, zero-terminated

    friend bool operator==(const Flow&, const Flow&) = default;
};

/// Such as `ftp`; empty: none.
[[nodiscard]] std::string_view helper_name(const Flow& flow);

/// Whether `later`, which was found by tuple and zone of `earlier`, is the same flow, and not a younger one. Neither
/// the id nor the start time alone shows it: the id is computed from the tuple and the entry's address
/// (nf_conntrack_core.c, nf_ct_get_id), and a connection that is reopened from TIME_WAIT gets the memory that was freed
/// just before (nf_conntrack_proto_tcp.c, nf_ct_kill and NF_REPEAT). Without start times a younger flow with the same
/// id is recognized only until it has seen as much as the earlier one.
[[nodiscard]] bool is_same_flow(const Flow& earlier, const Flow& later);

/// The addresses with which the packets left, after NAT.
[[nodiscard]] FlowTuple translated(const Flow& flow);

/// Sum over both directions; absent if the kernel counted neither.
[[nodiscard]] std::optional<Counters> total_counters(const Flow& flow);

/// The time at which flows are examined, on two clocks: the wall clock, which conntrack uses for time stamps and which
/// may be set during a flow's life, and the time since boot, which may not.
struct Moment {
    Timestamp now{};
    std::optional<std::chrono::seconds> up{};  ///< since boot (CLOCK_BOOTTIME); absent if unknown
    /// How long nf_conntrack_timestamp is known to have been on without interruption. A flow without a time stamp is
    /// older (nf_conntrack_timestamp.h, nf_ct_tstamp_ext_add: the extension is added at creation or never).
    std::optional<std::chrono::seconds> timestamps_for{};
};

/// Time from the flow's start until now or until its end; never negative. Absent without a time stamp, and for an
/// impossible one (later than now, or earlier than boot): the clock was set in between.
[[nodiscard]] std::optional<std::chrono::seconds> age(const Flow& flow, const Moment& moment);

enum class FlowState : std::uint8_t { New, Established, Closed };
template <>
inline constexpr auto kNames<FlowState> = name_list("NEW", "ESTABLISHED", "CLOSED");

[[nodiscard]] FlowState state(const Flow& flow);

/// The name of the protocol's own state, such as `SYN_SENT`; absent if it has none or the kernel did not report it.
[[nodiscard]] std::optional<std::string_view> protocol_state_name(const Flow& flow);

/// The state number for such a name; absent if the protocol has no state of that name.
[[nodiscard]] std::optional<std::uint8_t> parse_protocol_state(Protocol protocol, std::string_view name);

/// Number of bits of Flow::status that have names.
inline constexpr unsigned kStatusBits = 16;

/// Name of a status bit as in the kernel's enum, without `IPS_`. `bit` must be below kStatusBits.
[[nodiscard]] std::string_view status_name(unsigned bit);

/// What a flush did to a flow.
enum class Outcome : std::uint8_t {
    Flushed,
    Gone,       ///< ended by itself, was replaced, or no longer matched when the flush reached it
    Failed,     ///< still present: the error is reported
    Protected,  ///< skipped because it is protected
};
template <>
inline constexpr auto kNames<Outcome> = name_list("flushed", "gone", "failed", "protected");

/// A flow of an operation, and what the operation did to it.
struct FlowRow {
    Flow flow;
    std::optional<Outcome> outcome{};  ///< absent: captured, or pending in a flush that has not reached it
    int error = 0;                     ///< errno, for Outcome::Failed
    SharedVerdict verdict{};           ///< of the rematch that judged the flow; kept by a flush of what it found

    friend bool operator==(const FlowRow&, const FlowRow&) = default;
};

}  // namespace headgate
