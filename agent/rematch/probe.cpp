// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/probe.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "rematch/own_chains.h"

namespace headgate::rematch {
namespace {

constexpr std::uint8_t kSyn = 2;
constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;

void put16(std::uint8_t* at, std::uint16_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8U);
    at[1] = static_cast<std::uint8_t>(value);
}

void put32(std::uint8_t* at, std::uint32_t value) {
    put16(at, static_cast<std::uint16_t>(value >> 16U));
    put16(at + 2, static_cast<std::uint16_t>(value));
}

/// The checksum of IPv4's header (RFC 791).
std::uint16_t checksum(std::span<const std::uint8_t> bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
        sum += static_cast<std::uint32_t>(bytes[i] << 8U | bytes[i + 1]);
    while ((sum >> 16U) != 0)
        sum = (sum & 0xffffU) + (sum >> 16U);
    return static_cast<std::uint16_t>(~sum);
}

/// Where the cookie stands in the transport header: in TCP's sequence number, SCTP's initiate tag, or the payload. The
/// kernel reports the first 20 bytes (nf_tables_trace.c, NFT_TRACETYPE_TRANSPORT_HSIZE).
std::optional<std::size_t> cookie_offset(Protocol protocol) {
    switch (protocol) {
        case Protocol::Tcp:
            return 4;
        case Protocol::Udp:
        case Protocol::Udplite:
        case Protocol::Icmp:
        case Protocol::Icmpv6:
            return 8;
        case Protocol::Sctp:
            return 16;
        default:
            return std::nullopt;
    }
}

/// ICMP messages with which conntrack begins a flow (nf_conntrack_proto_icmp.c, nf_conntrack_invert_icmp_tuple;
/// likewise for ICMPv6).
bool begins_flow(const FlowTuple& tuple) {
    const auto type = tuple.icmp_type;
    if (tuple.protocol == Protocol::Icmp) return type == 8 || type == 13 || type == 15 || type == 17;
    return type == 128 || type == 139;
}

std::size_t write_transport(const FlowTuple& tuple, std::uint32_t cookie, std::uint8_t* at) {
    std::memset(at, 0, 32);
    put16(at, tuple.source_port);
    put16(at + 2, tuple.destination_port);
    switch (tuple.protocol) {
        case Protocol::Tcp:
            put32(at + 4, cookie);
            at[12] = 5 << 4;
            at[13] = kSyn;
            put16(at + 14, 64240);
            return 20;
        case Protocol::Udp:
        case Protocol::Udplite:
            put16(at + 4, 20);
            put16(at + 6, 1);  // a checksum that nobody verifies: nf_conntrack_checksum is off
            put32(at + 8, cookie);
            return 20;
        case Protocol::Icmp:
        case Protocol::Icmpv6:
            at[0] = tuple.icmp_type;
            at[1] = tuple.icmp_code;
            put16(at + 2, 0);
            put16(at + 4, tuple.icmp_id);
            put16(at + 6, 1);
            put32(at + 8, cookie);
            return 20;
        case Protocol::Sctp:  // INIT (RFC 9260, section 3.3.2)
            at[12] = 1;
            put16(at + 14, 20);
            put32(at + 16, cookie);
            put32(at + 20, 65536);
            put16(at + 24, 1);
            put16(at + 26, 1);
            put32(at + 28, 1);
            return 32;
        default:
            return 0;
    }
}

Address address_at(Family family, netlink::Bytes bytes) {
    Address address;
    address.family = family;
    std::memcpy(address.octets.data(), bytes.data(), address_octets(family));
    return address;
}

/// Source, destination and protocol; false if the header is cut short.
bool read_network_header(netlink::Bytes header, FlowTuple& tuple) {
    if (header.empty()) return false;
    const bool ipv4 = std::to_integer<unsigned>(header[0]) >> 4U == 4;
    if (header.size() < (ipv4 ? kIpv4Header : kIpv6Header)) return false;
    const auto family = ipv4 ? Family::Ipv4 : Family::Ipv6;
    const std::size_t source = ipv4 ? 12 : 8;
    tuple.source = address_at(family, header.subspan(source));
    tuple.destination = address_at(family, header.subspan(source + address_octets(family)));
    tuple.protocol = Protocol{std::to_integer<std::uint8_t>(header[ipv4 ? 9 : 6])};
    return true;
}

}  // namespace

Question question_of(const Flow& flow) {
    const bool labelled = std::ranges::any_of(flow.labels, [](auto label) { return label != std::byte{0}; });
    return {flow.original, flow.reply, flow.mark.value_or(0), flow.status, flow.zone, labelled};
}

std::size_t write_probe(const FlowTuple& tuple, std::uint32_t cookie, ProbeKind kind,
                        std::span<std::uint8_t, kLongestProbe> packet) {
    if (!cookie_offset(tuple.protocol)) return 0;
    if (is_icmp(tuple.protocol) && !begins_flow(tuple)) return 0;
    const bool ipv4 = tuple.source.family == Family::Ipv4;
    const std::size_t header = ipv4 ? kIpv4Header : kIpv6Header;
    std::ranges::fill(packet, std::uint8_t{0});
    std::uint8_t* const at = packet.data();
    const std::size_t length = write_transport(tuple, cookie, at + header);
    const std::size_t octets = address_octets(tuple.source.family);
    const bool traced = kind == ProbeKind::Traced;
    if (ipv4) {
        at[0] = 0x45;
        put16(at + 2, static_cast<std::uint16_t>(header + length));
        put16(at + 4, traced ? kTracedProbe : 1);
        at[8] = 64;
        at[9] = static_cast<std::uint8_t>(tuple.protocol);
        std::memcpy(at + 12, tuple.source.octets.data(), octets);
        std::memcpy(at + 16, tuple.destination.octets.data(), octets);
        put16(at + 10, checksum(packet.first(kIpv4Header)));
    } else {
        at[0] = 0x60;
        if (traced) put16(at + 2, kTracedProbe);
        put16(at + 4, static_cast<std::uint16_t>(length));
        at[6] = static_cast<std::uint8_t>(tuple.protocol);
        at[7] = 64;
        std::memcpy(at + 8, tuple.source.octets.data(), octets);
        std::memcpy(at + 24, tuple.destination.octets.data(), octets);
    }
    return header + length;
}

std::optional<SeenProbe> read_probe(netlink::Bytes network_header, netlink::Bytes transport_header) {
    SeenProbe seen;
    auto& tuple = seen.tuple;
    if (!read_network_header(network_header, tuple)) return std::nullopt;
    const auto offset = cookie_offset(tuple.protocol);
    if (!offset || transport_header.size() < *offset + sizeof(std::uint32_t)) return std::nullopt;
    const auto octet = [&](std::size_t at) { return std::to_integer<std::uint8_t>(transport_header[at]); };
    // A reset that answers a probe has its ports, too.
    if (tuple.protocol == Protocol::Tcp && (transport_header.size() < 14 || octet(13) != kSyn)) return std::nullopt;
    if (is_icmp(tuple.protocol)) {
        tuple.icmp_type = octet(0);
        tuple.icmp_code = octet(1);
        tuple.icmp_id = netlink::read_big_endian<std::uint16_t>(transport_header.subspan(4));
        if (!begins_flow(tuple)) return std::nullopt;
    } else {
        tuple.source_port = netlink::read_big_endian<std::uint16_t>(transport_header);
        tuple.destination_port = netlink::read_big_endian<std::uint16_t>(transport_header.subspan(2));
    }
    seen.cookie = netlink::read_big_endian<std::uint32_t>(transport_header.subspan(*offset));
    return seen;
}

}  // namespace headgate::rematch
