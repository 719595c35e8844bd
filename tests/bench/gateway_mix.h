// SPDX-License-Identifier: GPL-2.0-or-later
// The flows of the benchmark, identical in each run. A mix typical of a gateway: four IPv4 flows to one IPv6 flow, two
// thirds TCP, the rest UDP, in several states. One percent of the flows comes from each of 80 IPv4 networks
// 10.1.N.0/24, ten percent go to each of 8 IPv4 servers 10.2.N.1.
#pragma once

#include "headgate/flow.h"

namespace headgate::bench {

inline constexpr std::uint64_t kNetworks = 80;
inline constexpr std::uint64_t kHosts = 250;  // per network
inline constexpr std::uint64_t kServers = 8;

inline Address ipv4(unsigned a, unsigned b, unsigned c, unsigned d) {
    Address address;
    unsigned i = 0;
    for (const unsigned octet : {a, b, c, d})
        address.octets[i++] = static_cast<std::uint8_t>(octet);
    return address;
}

inline Address ipv6(unsigned network, std::uint64_t host) {
    Address address{Family::Ipv6, {0x20, 0x01, 0x0d, 0xb8}};
    address.octets[7] = static_cast<std::uint8_t>(network);
    for (unsigned i = 0; i < 4; ++i)
        address.octets[15 - i] = static_cast<std::uint8_t>(host >> (8 * i));
    return address;
}

/// The flow with this number. Each network has flows of every protocol and state.
inline Flow flow_number(std::uint64_t number) {
    const auto network = static_cast<unsigned>(number % kNetworks);
    const std::uint64_t within = number / kNetworks;
    const bool v6 = within % 5 == 4;
    const bool tcp = within % 3 != 2;
    const auto host = static_cast<unsigned>(within % kHosts) + 1;
    const auto server = static_cast<unsigned>(within / kHosts % kServers);
    Flow flow;
    FlowTuple& tuple = flow.original;
    tuple.protocol = tcp ? Protocol::Tcp : Protocol::Udp;
    tuple.source = v6 ? ipv6(network, host) : ipv4(10, 1, network, host);
    tuple.destination = v6 ? ipv6(200, server + 1) : ipv4(10, 2, server, 1);
    tuple.source_port = static_cast<std::uint16_t>(1024 + within / kHosts / kServers);
    tuple.destination_port = tcp ? 443 : 53;
    flow.reply = swapped(tuple);
    flow.timeout = std::chrono::hours{100};
    flow.status = flow_status::kConfirmed | flow_status::kSeenReply | flow_status::kAssured;
    if (tcp) flow.protocol_state = within % 7 == 0 ? 4 : 3;  // FIN_WAIT, ESTABLISHED
    if (!tcp && within % 2 == 0) flow.status = flow_status::kConfirmed;
    flow.mark = static_cast<std::uint32_t>(number % 16);
    return flow;
}

}  // namespace headgate::bench
