// SPDX-License-Identifier: GPL-2.0-or-later
// Rows of a walk, as the program in the kernel writes them.
#pragma once

#include <arpa/inet.h>

#include <cstring>

#include "headgate/flow.h"

#include "conntrack/walk/walk_row.h"

namespace headgate::testing {

inline walk_tuple kernel_tuple(const FlowTuple& tuple, bool is_reply) {
    conntrack::TupleOctets octets{};
    const auto put = [&](std::size_t offset, std::uint16_t number) {
        octets.at(offset) = static_cast<std::uint8_t>(number >> 8U);
        octets.at(offset + 1) = static_cast<std::uint8_t>(number);
    };
    std::memcpy(&octets.at(conntrack::kSourceOffset), tuple.source.octets.data(), 16);
    std::memcpy(&octets.at(conntrack::kDestinationOffset), tuple.destination.octets.data(), 16);
    conntrack::put_family(octets, tuple.source.family);
    const auto type_and_code = static_cast<std::uint16_t>(tuple.icmp_type << 8U | tuple.icmp_code);
    put(conntrack::kSourcePortOffset, is_icmp(tuple.protocol) ? tuple.icmp_id : tuple.source_port);
    put(conntrack::kDestinationPortOffset, is_icmp(tuple.protocol) ? type_and_code : tuple.destination_port);
    octets.at(conntrack::kProtocolOffset) = static_cast<std::uint8_t>(tuple.protocol);
    octets.back() = is_reply ? 1 : 0;
    return conntrack::tuple_of(octets);
}

inline constexpr conntrack::RowUnits kRowUnits{{{1, 2}}, 0xFFFF888076543200U, 250};

/// Of an entry that has the members of this flow, but for the id, in kRowUnits.
inline walk_row walked(const Flow& flow) {
    walk_row row{};
    row.original = kernel_tuple(flow.original, false);
    row.reply = kernel_tuple(flow.reply, true);
    if (flow.started) row.started = static_cast<std::uint64_t>(flow.started->time_since_epoch().count());
    row.status = flow.status;
    row.entry = 0xFFFF888012345600U;
    if (flow.mark) row.parts |= WALK_HAS_MARK;
    row.mark = flow.mark.value_or(0);
    if (flow.timeout) row.ticks_left = static_cast<__u32>(flow.timeout->count()) * kRowUnits.ticks_per_second;
    if (flow.counters_original && flow.counters_reply) {
        row.parts |= WALK_HAS_COUNTERS;
        row.counters[0] = flow.counters_original->packets;
        row.counters[1] = flow.counters_original->bytes;
        row.counters[2] = flow.counters_reply->packets;
        row.counters[3] = flow.counters_reply->bytes;
    }
    row.sctp_tags[0] = htonl(flow.sctp_tags[0]);
    row.sctp_tags[1] = htonl(flow.sctp_tags[1]);
    row.zone = flow.zone;
    const auto direction = flow.zone_direction;
    row.zone_directions = direction == ZoneDirection::Both ? 3 : direction == ZoneDirection::Original ? 1 : 2;
    if (flow.original.protocol == Protocol::Tcp) row.tcp_state = flow.protocol_state.value_or(0);
    if (flow.original.protocol == Protocol::Sctp) row.sctp_state = flow.protocol_state.value_or(0);
    if (flow.original.protocol == Protocol::Dccp && flow.protocol_state) {
        row.parts |= WALK_HAS_DCCP_STATE;
        row.dccp_state = *flow.protocol_state;
    }
    return row;
}

}  // namespace headgate::testing
