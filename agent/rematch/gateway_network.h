// SPDX-License-Identifier: GPL-2.0-or-later
// What decides a packet's way through the gateway besides its rules: links, addresses, routes and routing rules, as the
// kernel's messages had them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "rematch/bytecode.h"

namespace headgate::rematch {

struct Link {
    int index = 0;
    std::string name;
    std::string kind;  ///< `vlan`, `bridge`, `vrf`; empty for hardware
    std::uint16_t type = 0;
    bool is_up = false;
    std::uint32_t group = 0;
    std::uint32_t mtu = 1500;
    ByteString hardware_address;
    bool routes = false;  ///< has addresses or routes: packets may arrive and leave by it
};

struct GatewayNetwork {
    std::map<int, Link> links;
    // The payloads of messages, each at least as long as the header that its kind begins with.
    std::vector<ByteString> addresses;
    std::vector<ByteString> nexthops;
    std::vector<ByteString> routes;
    std::vector<ByteString> rules;
    std::map<std::string, std::string> sysctls;  ///< by path below /proc/sys/net
};

/// Reads what a Snapshot holds. Its bytes may come from anyone: an error if they are not whole, or name other sysctls
/// than those of links and routing.
[[nodiscard]] Result<GatewayNetwork> parse_network(netlink::Bytes routing, const std::vector<std::string>& sysctls);

/// Calls `sink(link_index)` for each link of a route.
void for_each_output_link(netlink::Bytes route_attributes, const std::function<void(int)>& sink);

}  // namespace headgate::rematch
