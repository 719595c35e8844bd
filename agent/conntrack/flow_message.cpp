// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/flow_message.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace headgate::conntrack {
namespace {

constexpr std::size_t kGenericHeader = NLMSG_ALIGN(sizeof(nfgenmsg));

std::optional<Family> family_of(netlink::Bytes payload) noexcept {
    if (payload.size() < kGenericHeader) return std::nullopt;
    switch (std::to_integer<int>(payload[0])) {  // nfgenmsg::nfgen_family
        case AF_INET:
            return Family::Ipv4;
        case AF_INET6:
            return Family::Ipv6;
        default:
            return std::nullopt;
    }
}

netlink::Bytes find(netlink::Bytes nest, std::uint16_t type) noexcept {
    netlink::Attribute attribute;
    for (netlink::AttributeReader reader{nest}; reader.next(attribute);) {
        if (attribute.type == type) return attribute.payload;
    }
    return {};
}

bool read_address(netlink::Bytes payload, Family family, Address& address) noexcept {
    if (payload.size() != address_octets(family)) return false;
    address.family = family;
    std::memcpy(address.octets.data(), payload.data(), payload.size());
    return true;
}

bool read_addresses(netlink::Bytes nest, Family family, FlowTuple& tuple) noexcept {
    const bool v4 = family == Family::Ipv4;
    return read_address(find(nest, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC), family, tuple.source) &&
           read_address(find(nest, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST), family, tuple.destination);
}

bool read_transport(netlink::Bytes nest, FlowTuple& tuple) noexcept {
    bool numbered = false;
    netlink::Attribute attribute;
    for (netlink::AttributeReader reader{nest}; reader.next(attribute);) {
        const netlink::Bytes payload = attribute.payload;
        switch (attribute.type) {
            case CTA_PROTO_NUM:
                numbered = payload.size() == 1;
                if (numbered) tuple.protocol = Protocol{std::to_integer<std::uint8_t>(payload[0])};
                break;
            case CTA_PROTO_SRC_PORT:
                tuple.source_port = netlink::read_big_endian<std::uint16_t>(payload);
                break;
            case CTA_PROTO_DST_PORT:
                tuple.destination_port = netlink::read_big_endian<std::uint16_t>(payload);
                break;
            case CTA_PROTO_ICMP_TYPE:
            case CTA_PROTO_ICMPV6_TYPE:
                tuple.icmp_type = netlink::read_big_endian<std::uint8_t>(payload);
                break;
            case CTA_PROTO_ICMP_CODE:
            case CTA_PROTO_ICMPV6_CODE:
                tuple.icmp_code = netlink::read_big_endian<std::uint8_t>(payload);
                break;
            case CTA_PROTO_ICMP_ID:
            case CTA_PROTO_ICMPV6_ID:
                tuple.icmp_id = netlink::read_big_endian<std::uint16_t>(payload);
                break;
            default:
                break;
        }
    }
    return numbered;
}

Result<FlowTuple> read_tuple(netlink::Bytes nest, Family family, std::string_view name) {
    FlowTuple tuple;
    if (!read_addresses(find(nest, CTA_TUPLE_IP), family, tuple)) {
        return failed("conntrack message: {} has no valid addresses", name);
    }
    if (!read_transport(find(nest, CTA_TUPLE_PROTO), tuple)) {
        return failed("conntrack message: {} has no valid protocol", name);
    }
    return tuple;
}

std::optional<std::uint8_t> read_protocol_state(netlink::Bytes info) noexcept {
    constexpr std::pair<std::uint16_t, std::uint16_t> kWhere[] = {
        {CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE},
        {CTA_PROTOINFO_SCTP, CTA_PROTOINFO_SCTP_STATE},
        {CTA_PROTOINFO_DCCP, CTA_PROTOINFO_DCCP_STATE},
    };
    for (const auto& [protocol, state] : kWhere) {
        const netlink::Bytes value = find(find(info, protocol), state);
        if (value.size() == 1) return std::to_integer<std::uint8_t>(value[0]);
    }
    return std::nullopt;
}

std::optional<Counters> read_counters(netlink::Bytes nest) noexcept {
    const netlink::Bytes packets = find(nest, CTA_COUNTERS_PACKETS);
    const netlink::Bytes bytes = find(nest, CTA_COUNTERS_BYTES);
    if (packets.size() != sizeof(std::uint64_t) || bytes.size() != sizeof(std::uint64_t)) return std::nullopt;
    return Counters{netlink::read_big_endian<std::uint64_t>(packets), netlink::read_big_endian<std::uint64_t>(bytes)};
}

/// Nanoseconds since 1970. Values beyond the year 2262, the end of a signed clock, are not valid times.
std::optional<Timestamp> read_timestamp(netlink::Bytes payload) noexcept {
    if (payload.size() != sizeof(std::uint64_t)) return std::nullopt;
    const auto nanoseconds = netlink::read_big_endian<std::uint64_t>(payload);
    if (nanoseconds == 0 || nanoseconds > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return Timestamp{std::chrono::nanoseconds{static_cast<std::int64_t>(nanoseconds)}};
}

template <typename T>
void update_if_given(std::optional<T>& slot, const std::optional<T>& value) noexcept {
    if (value) slot = value;
}

void update_tag(std::uint32_t& tag, netlink::Bytes payload) noexcept {
    if (!payload.empty()) tag = netlink::read_big_endian<std::uint32_t>(payload);
}

template <typename Octets>
void update_octets(Octets& octets, netlink::Bytes payload) noexcept {
    if (payload.empty()) return;
    octets = {};
    std::memcpy(octets.data(), payload.data(), std::min(octets.size(), payload.size()));
}

/// CTA_ZONE if the zone applies to both directions, otherwise CTA_TUPLE_ZONE inside one of the tuples.
void read_zone(netlink::Bytes zone, netlink::Bytes original, netlink::Bytes reply, Flow& flow) noexcept {
    if (!zone.empty()) {
        flow.zone = netlink::read_big_endian<std::uint16_t>(zone);
    } else if (const netlink::Bytes in_original = find(original, CTA_TUPLE_ZONE); !in_original.empty()) {
        flow.zone = netlink::read_big_endian<std::uint16_t>(in_original);
        flow.zone_direction = ZoneDirection::Original;
    } else if (const netlink::Bytes in_reply = find(reply, CTA_TUPLE_ZONE); !in_reply.empty()) {
        flow.zone = netlink::read_big_endian<std::uint16_t>(in_reply);
        flow.zone_direction = ZoneDirection::Reply;
    }
}

}  // namespace

bool FlowMessage::is_internet_family(netlink::Bytes payload) noexcept {
    return family_of(payload).has_value();
}

Result<FlowMessage> FlowMessage::parse(netlink::Bytes payload) {
    const auto family = family_of(payload);
    if (!family) return failed("conntrack message: neither IPv4 nor IPv6");
    FlowMessage message;
    message.family_ = *family;
    netlink::Attribute attribute;
    netlink::AttributeReader reader{payload.subspan(kGenericHeader)};
    while (reader.next(attribute))
        if (attribute.type < message.attributes_.size()) message.attributes_[attribute.type] = attribute.payload;
    if (!reader.at_end()) return failed("conntrack message: an attribute is longer than the message");
    if (message.at(CTA_TUPLE_ORIG).empty()) return failed("conntrack message: no CTA_TUPLE_ORIG");
    if (message.at(CTA_TUPLE_REPLY).empty()) return failed("conntrack message: no CTA_TUPLE_REPLY");
    if (message.at(CTA_ID).size() != sizeof(std::uint32_t)) return failed("conntrack message: no valid CTA_ID");
    return message;
}

Result<FlowTuple> FlowMessage::original_tuple() const {
    return read_tuple(at(CTA_TUPLE_ORIG), family_, "CTA_TUPLE_ORIG");
}

Result<FlowTuple> FlowMessage::reply_tuple() const {
    return read_tuple(at(CTA_TUPLE_REPLY), family_, "CTA_TUPLE_REPLY");
}

Result<Flow> FlowMessage::decode() const {
    ASSIGN_OR_RETURN(auto original, original_tuple());
    ASSIGN_OR_RETURN(auto reply, reply_tuple());
    return decode(original, reply);
}

Flow FlowMessage::decode(const FlowTuple& original, const FlowTuple& reply) const {
    Flow flow;
    flow.original = original;
    flow.reply = reply;
    flow.id = id();
    read_zone(at(CTA_ZONE), at(CTA_TUPLE_ORIG), at(CTA_TUPLE_REPLY), flow);
    update(flow);
    return flow;
}

void FlowMessage::update(Flow& flow) const {
    if (!at(CTA_STATUS).empty()) flow.status = netlink::read_big_endian<std::uint32_t>(at(CTA_STATUS));
    if (!at(CTA_MARK).empty()) flow.mark = netlink::read_big_endian<std::uint32_t>(at(CTA_MARK));
    if (!at(CTA_TIMEOUT).empty())
        flow.timeout = std::chrono::seconds{netlink::read_big_endian<std::uint32_t>(at(CTA_TIMEOUT))};
    update_if_given(flow.protocol_state, read_protocol_state(at(CTA_PROTOINFO)));
    const netlink::Bytes sctp = find(at(CTA_PROTOINFO), CTA_PROTOINFO_SCTP);
    update_tag(flow.sctp_tags[0], find(sctp, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL));
    update_tag(flow.sctp_tags[1], find(sctp, CTA_PROTOINFO_SCTP_VTAG_REPLY));
    update_octets(flow.labels, at(CTA_LABELS));
    update_octets(flow.helper, find(at(CTA_HELP), CTA_HELP_NAME));
    update_if_given(flow.counters_original, read_counters(at(CTA_COUNTERS_ORIG)));
    update_if_given(flow.counters_reply, read_counters(at(CTA_COUNTERS_REPLY)));
    update_if_given(flow.started, read_timestamp(find(at(CTA_TIMESTAMP), CTA_TIMESTAMP_START)));
    update_if_given(flow.stopped, read_timestamp(find(at(CTA_TIMESTAMP), CTA_TIMESTAMP_STOP)));
}

}  // namespace headgate::conntrack
