// SPDX-License-Identifier: GPL-2.0-or-later
// A table of flows of all protocols, with and without NAT, marks, states and zones.
#pragma once

#include <random>
#include <vector>

#include "support/flow_builder.h"

namespace headgate::testing {

inline std::vector<Flow> random_flows(std::size_t count, unsigned seed = 7) {
    std::minstd_rand random{seed};
    const auto one_of = [&](unsigned choices) {
        return std::uniform_int_distribution<unsigned>{0, choices - 1}(random);
    };
    constexpr Protocol kProtocols[] = {Protocol::Tcp,     Protocol::Udp,  Protocol::Sctp,
                                       Protocol::Udplite, Protocol::Dccp, Protocol::Icmp,
                                       Protocol::Icmpv6,  Protocol::Gre,  Protocol{50}};
    std::vector<Flow> flows;
    for (unsigned i = 1; i <= count; ++i) {
        const auto protocol = kProtocols[one_of(std::size(kProtocols))];
        const bool v6 = protocol == Protocol::Icmpv6 || (protocol != Protocol::Icmp && one_of(2) == 0);
        FlowBuilder flow{protocol};
        // The address alone identifies flows without ports.
        flow.from(v6 ? fmt::format("2001:db8:1::{:x}", i) : fmt::format("10.1.{}.{}", i / 256, i % 256),
                  static_cast<std::uint16_t>(1 + one_of(60000)));
        flow.to(v6 ? "2001:db8:2::2" : "10.2.0.2", static_cast<std::uint16_t>(1 + one_of(1000)));
        if (is_icmp(protocol)) flow.echo(static_cast<std::uint16_t>(i));
        const bool translates_ports = has_ports(protocol) && protocol != Protocol::Dccp;  // not tracked by every kernel
        if (translates_ports && one_of(3) == 0)
            flow.leaving_as(v6 ? "2001:db8:3::3" : "192.0.2.1", static_cast<std::uint16_t>(i));
        if (one_of(2) == 0) flow.established();
        if (protocol == Protocol::Tcp) flow.in_state(static_cast<std::uint8_t>(1 + one_of(9)));
        if (protocol == Protocol::Sctp) flow.in_state(static_cast<std::uint8_t>(1 + one_of(7)));
        constexpr std::uint16_t kZones[] = {0, 0, 7, 65535};
        const auto zone = kZones[one_of(4)];
        flow.in_zone(zone, zone == 0 ? ZoneDirection::Both : ZoneDirection{static_cast<std::uint8_t>(one_of(3))});
        flows.push_back(flow.with_mark(one_of(4)));
        flows.back().timeout = std::chrono::seconds{60 + one_of(1'000'000)};
        if (protocol == Protocol::Sctp) flows.back().sctp_tags = {one_of(UINT32_MAX), one_of(UINT32_MAX)};
    }
    return flows;
}

}  // namespace headgate::testing
