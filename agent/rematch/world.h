// SPDX-License-Identifier: GPL-2.0-or-later
// A network namespace in which packets take the ways that they take through the gateway: links of the same names and
// indices, with the same addresses, routes and routing rules. Each link is one end of a veth pair; what is put into the
// other end arrives as if from the wire. Nothing leaves.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "rematch/gateway_network.h"

namespace headgate::rematch {

/// The link on which sentinels arrive. No kernel gives out such indices by itself while there are fewer links.
inline constexpr int kSentinelLink = (1 << 24) - 2;

/// The other end of a link's pair.
[[nodiscard]] constexpr int peer_of(int link) {
    return link == kSentinelLink ? kSentinelLink + 1 : (1 << 24) + link;
}

/// Links, addresses and routes that the copy lacks, in words. A packet may then take another way than in the gateway.
using WorldFaults = std::vector<std::string>;

/// In the calling thread's network namespace, which must be a new one. `named`: links that the ruleset names, which
/// need no address. An error: nothing can be judged.
[[nodiscard]] Result<WorldFaults> build_world(const GatewayNetwork& network, const std::set<std::string>& named);

}  // namespace headgate::rematch
