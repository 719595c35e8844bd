// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/flow.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace headgate {
namespace {

struct ProtocolState {
    std::string_view name;
    FlowState state;
};

using enum FlowState;

// include/uapi/linux/netfilter/nf_conntrack_tcp.h, enum tcp_conntrack
constexpr std::array kTcpStates{
    ProtocolState{"NONE", New},
    ProtocolState{"SYN_SENT", New},
    ProtocolState{"SYN_RECV", New},
    ProtocolState{"ESTABLISHED", Established},
    ProtocolState{"FIN_WAIT", Established},
    ProtocolState{"CLOSE_WAIT", Established},
    ProtocolState{"LAST_ACK", Closed},
    ProtocolState{"TIME_WAIT", Closed},
    ProtocolState{"CLOSE", Closed},
    ProtocolState{"SYN_SENT2", New},
};

// include/uapi/linux/netfilter/nf_conntrack_sctp.h, enum sctp_conntrack
constexpr std::array kSctpStates{
    ProtocolState{"NONE", New},
    ProtocolState{"CLOSED", Closed},
    ProtocolState{"COOKIE_WAIT", New},
    ProtocolState{"COOKIE_ECHOED", New},
    ProtocolState{"ESTABLISHED", Established},
    ProtocolState{"SHUTDOWN_SENT", Established},
    ProtocolState{"SHUTDOWN_RECD", Established},
    ProtocolState{"SHUTDOWN_ACK_SENT", Closed},
    ProtocolState{"HEARTBEAT_SENT", New},
    ProtocolState{"HEARTBEAT_ACKED", Established},
};

// include/linux/netfilter/nf_conntrack_dccp.h, enum ct_dccp_states (until 6.17)
constexpr std::array kDccpStates{
    ProtocolState{"NONE", New},       ProtocolState{"REQUEST", New},      ProtocolState{"RESPOND", New},
    ProtocolState{"PARTOPEN", New},   ProtocolState{"OPEN", Established}, ProtocolState{"CLOSEREQ", Established},
    ProtocolState{"CLOSING", Closed}, ProtocolState{"TIMEWAIT", Closed},  ProtocolState{"IGNORE", New},
    ProtocolState{"INVALID", New},
};

std::span<const ProtocolState> states_of(Protocol protocol) {
    switch (protocol) {
        case Protocol::Tcp:
            return kTcpStates;
        case Protocol::Sctp:
            return kSctpStates;
        case Protocol::Dccp:
            return kDccpStates;
        default:
            return {};
    }
}

std::chrono::seconds seconds_between(Timestamp from, Timestamp to) {
    // The difference of two nanosecond counts may overflow.
    using std::chrono::microseconds;
    return std::chrono::floor<std::chrono::seconds>(std::chrono::floor<microseconds>(to) -
                                                    std::chrono::floor<microseconds>(from));
}

const ProtocolState* find_protocol_state(const Flow& flow) {
    const auto states = states_of(flow.original.protocol);
    if (!flow.protocol_state || *flow.protocol_state >= states.size()) return nullptr;
    return &states[*flow.protocol_state];
}

// include/uapi/linux/netfilter/nf_conntrack_common.h, enum ip_conntrack_status, by bit
constexpr std::array<std::string_view, kStatusBits> kStatusNames{
    "EXPECTED",     "SEEN_REPLY", "ASSURED",       "CONFIRMED", "SRC_NAT",   "DST_NAT", "SEQ_ADJUST", "SRC_NAT_DONE",
    "DST_NAT_DONE", "DYING",      "FIXED_TIMEOUT", "TEMPLATE",  "NAT_CLASH", "HELPER",  "OFFLOAD",    "HW_OFFLOAD",
};

}  // namespace

bool is_same_flow(const Flow& earlier, const Flow& later) {
    // Bits that no entry loses (nf_conntrack_core.c, nf_ct_change_status_common).
    constexpr auto kKept = flow_status::kSeenReply | flow_status::kAssured;
    return earlier.id == later.id && earlier.started == later.started && (earlier.status & ~later.status & kKept) == 0;
}

FlowTuple swapped(const FlowTuple& tuple) {
    FlowTuple other = tuple;
    std::swap(other.source, other.destination);
    std::swap(other.source_port, other.destination_port);
    return other;
}

std::string_view helper_name(const Flow& flow) {
    const auto end = std::ranges::find(flow.helper, '\0');
    return {flow.helper.data(), static_cast<std::size_t>(end - flow.helper.begin())};
}

FlowTuple translated(const Flow& flow) {
    FlowTuple tuple = swapped(flow.reply);
    // The reply tuple has the type of an echo reply; NAT translates only the id, not type and code.
    tuple.icmp_type = flow.original.icmp_type;
    tuple.icmp_code = flow.original.icmp_code;
    return tuple;
}

std::optional<Counters> total_counters(const Flow& flow) {
    if (!flow.counters_original && !flow.counters_reply) return std::nullopt;
    const auto sent = flow.counters_original.value_or(Counters{});
    const auto answered = flow.counters_reply.value_or(Counters{});
    return Counters{sent.packets + answered.packets, sent.bytes + answered.bytes};
}

std::optional<std::chrono::seconds> age(const Flow& flow, const Moment& moment) {
    using std::chrono::seconds;
    if (!flow.started) return std::nullopt;
    // Flows that start while the table is being dumped are later than `moment`.
    constexpr seconds kLongestSearch{60};
    const auto since_start = seconds_between(*flow.started, moment.now);
    if (moment.up && since_start > *moment.up) return std::nullopt;
    const auto lived = flow.stopped ? seconds_between(*flow.started, *flow.stopped) : since_start;
    if (lived < -kLongestSearch) return std::nullopt;
    return std::max(lived, seconds{0});
}

FlowState state(const Flow& flow) {
    if (const auto* known = find_protocol_state(flow)) return known->state;
    return (flow.status & flow_status::kSeenReply) != 0 ? Established : New;
}

std::optional<std::string_view> protocol_state_name(const Flow& flow) {
    const auto* known = find_protocol_state(flow);
    return known != nullptr ? std::optional{known->name} : std::nullopt;
}

std::optional<std::uint8_t> parse_protocol_state(Protocol protocol, std::string_view name) {
    const auto states = states_of(protocol);
    const auto found = std::ranges::find(states, name, &ProtocolState::name);
    if (found == states.end()) return std::nullopt;
    return static_cast<std::uint8_t>(found - states.begin());
}

std::string_view status_name(unsigned bit) {
    return kStatusNames[bit];
}

}  // namespace headgate
