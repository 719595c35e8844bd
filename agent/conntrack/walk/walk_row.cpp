// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/walk_row.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <bit>
#include <cstring>

#include "conntrack/walk/flow_id.h"

namespace headgate::conntrack {
namespace {

std::uint16_t big_endian_at(const TupleOctets& octets, std::size_t offset) noexcept {
    return static_cast<std::uint16_t>(octets.at(offset) << 8U | octets.at(offset + 1));
}

std::optional<Family> family_in(const TupleOctets& octets) noexcept {
    std::uint16_t family = 0;
    std::memcpy(&family, &octets.at(kFamilyOffset), sizeof family);
    if (family == AF_INET) return Family::Ipv4;
    if (family == AF_INET6) return Family::Ipv6;
    return std::nullopt;
}

Address address_at(const TupleOctets& octets, std::size_t offset, Family family) noexcept {
    Address address{family, {}};
    std::memcpy(address.octets.data(), &octets.at(offset), address_octets(family));
    return address;
}

/// Protocols that conntrack identifies by addresses alone have no ports in their tuples, either.
FlowTuple decode_tuple(const TupleOctets& octets, Family family) noexcept {
    FlowTuple tuple;
    tuple.source = address_at(octets, kSourceOffset, family);
    tuple.destination = address_at(octets, kDestinationOffset, family);
    tuple.protocol = Protocol{octets.at(kProtocolOffset)};
    if (is_icmp(tuple.protocol)) {
        tuple.icmp_id = big_endian_at(octets, kSourcePortOffset);
        tuple.icmp_type = octets.at(kDestinationPortOffset);
        tuple.icmp_code = octets.at(kDestinationPortOffset + 1);
    } else if (has_ports(tuple.protocol) || tuple.protocol == Protocol::Gre) {
        tuple.source_port = big_endian_at(octets, kSourcePortOffset);
        tuple.destination_port = big_endian_at(octets, kDestinationPortOffset);
    }
    return tuple;
}

ZoneDirection zone_direction(const walk_row& row) noexcept {
    if (row.zone == 0 || row.zone_directions == 3) return ZoneDirection::Both;
    return row.zone_directions == 2 ? ZoneDirection::Reply : ZoneDirection::Original;
}

std::optional<std::uint8_t> protocol_state(const walk_row& row, Protocol protocol) noexcept {
    if ((row.status & flow_status::kOffloaded) != 0) return std::nullopt;  // as in a message (ctnetlink_fill_info)
    if (protocol == Protocol::Tcp) return row.tcp_state;
    if (protocol == Protocol::Sctp) return row.sctp_state;
    if (protocol == Protocol::Dccp && (row.parts & WALK_HAS_DCCP_STATE) != 0) return row.dccp_state;
    return std::nullopt;
}

/// Whether `later` can be what `earlier` has become.
bool may_follow(const std::optional<Counters>& earlier, const std::optional<Counters>& later) noexcept {
    if (!earlier || !later) return earlier == later;
    return earlier->packets <= later->packets && earlier->bytes <= later->bytes;
}

/// Each packet sets it anew.
bool may_follow(const std::optional<std::chrono::seconds>& earlier, const std::optional<std::chrono::seconds>& later) {
    constexpr std::chrono::seconds kBetween{2};
    if (!earlier || !later) return earlier == later;
    return *later <= *earlier && *earlier - *later <= kBetween;
}

}  // namespace

TupleOctets octets_of(const walk_tuple& tuple) noexcept {
    return std::bit_cast<TupleOctets>(tuple);
}

walk_tuple tuple_of(const TupleOctets& octets) noexcept {
    return std::bit_cast<walk_tuple>(octets);
}

void put_family(TupleOctets& octets, Family family) noexcept {
    const std::uint16_t number = family == Family::Ipv4 ? AF_INET : AF_INET6;
    std::memcpy(&octets.at(kFamilyOffset), &number, sizeof number);
}

std::optional<Flow> decode_row(const walk_row& row) noexcept {
    const auto original = octets_of(row.original);
    const auto family = family_in(original);
    if (!family) return std::nullopt;
    Flow flow;
    flow.original = decode_tuple(original, *family);
    flow.reply = decode_tuple(octets_of(row.reply), *family);
    flow.zone = row.zone;
    flow.zone_direction = zone_direction(row);
    flow.status = row.status;
    if ((row.parts & WALK_HAS_MARK) != 0) flow.mark = row.mark;
    flow.protocol_state = protocol_state(row, flow.original.protocol);
    const auto started = static_cast<std::int64_t>(row.started);
    if (started > 0) flow.started = Timestamp{std::chrono::nanoseconds{started}};
    return flow;
}

void complete(Flow& flow, const walk_row& row, const RowUnits& units) noexcept {
    flow.id = flow_id(row, units.network_namespace, units.seed);
    if ((row.status & flow_status::kOffloaded) == 0)
        flow.timeout = std::chrono::seconds{row.ticks_left / units.ticks_per_second};
    if ((row.parts & WALK_HAS_COUNTERS) != 0) {
        flow.counters_original = Counters{row.counters[0], row.counters[1]};
        flow.counters_reply = Counters{row.counters[2], row.counters[3]};
    }
    if (flow.protocol_state && flow.original.protocol == Protocol::Sctp)
        flow.sctp_tags = {ntohl(row.sctp_tags[0]), ntohl(row.sctp_tags[1])};
}

bool is_whole(const walk_row& row) noexcept {
    return (row.parts & WALK_LACKS_EXTENSIONS) == 0;
}

Candidate candidate_of(const Flow& flow) {
    return {flow.original, flow.zone_direction == ZoneDirection::Reply ? std::uint16_t{0} : flow.zone};
}

std::string_view difference(const Flow& walked, const Flow& reported) noexcept {
    if (walked.original != reported.original) return "original tuple";
    if (walked.reply != reported.reply) return "reply tuple";
    if (walked.zone != reported.zone || walked.zone_direction != reported.zone_direction) return "zone";
    if (walked.started != reported.started) return "start time";
    if (walked.status != reported.status) return "status";
    if (walked.mark.value_or(0) != reported.mark.value_or(0)) return "mark";
    if (walked.protocol_state != reported.protocol_state) return "protocol state";
    return {};
}

std::string_view difference_in_rest(const Flow& walked, const Flow& reported) noexcept {
    if (walked.id != reported.id) return "id";
    if (walked.sctp_tags != reported.sctp_tags) return "verification tags";
    if (walked.labels != reported.labels) return "labels";
    if (walked.helper != reported.helper) return "helper";
    if (!may_follow(walked.counters_original, reported.counters_original)) return "counters";
    if (!may_follow(walked.counters_reply, reported.counters_reply)) return "counters";
    const bool had_packets =
        walked.counters_original != reported.counters_original || walked.counters_reply != reported.counters_reply;
    if (!had_packets && !may_follow(walked.timeout, reported.timeout)) return "timeout";
    return {};
}

}  // namespace headgate::conntrack
