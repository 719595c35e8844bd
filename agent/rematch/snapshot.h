// SPDX-License-Identifier: GPL-2.0-or-later
// What a verdict on a connection depends on, as the kernel's own netlink messages: the ruleset, and links, addresses,
// routes and routing rules. Read in the gateway's namespace; parsed by whoever judges.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "rematch/bytecode.h"

namespace headgate::rematch {

struct Snapshot {
    std::uint32_t generation = 0;       ///< of the ruleset, the same before and after it was read
    ByteString nftables;                ///< messages, sets before their elements
    ByteString routing;                 ///< links, addresses, nexthops, routes, rules
    std::vector<std::string> sysctls;   ///< `ipv4/conf/all/forwarding=1`, below /proc/sys/net
    std::vector<std::string> warnings;  ///< what else decides about packets, and is not judged
    std::string legacy_tables;          ///< names of tables of the older iptables, which are not judged
};

/// Of the calling thread's network namespace. Busy: the ruleset changed each time that it was read. Missing: the kernel
/// has no nf_tables.
[[nodiscard]] Result<Snapshot> read_snapshot();

/// The ruleset of the calling thread's network namespace alone.
[[nodiscard]] Result<ByteString> read_ruleset_messages();

/// The generation of the ruleset in the calling thread's network namespace.
[[nodiscard]] Result<std::uint32_t> read_generation();

}  // namespace headgate::rematch
