// SPDX-License-Identifier: GPL-2.0-or-later
// A report of nf_tables about a packet with `meta nftrace set 1`: a rule that matched, or the policy of a chain that it
// reached the end of (net/netfilter/nf_tables_trace.c).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "netlink/messages.h"
#include "rematch/probe.h"

namespace headgate::rematch {

enum class TraceKind : std::uint8_t { Rule, Policy, Return };

struct TraceEvent {
    TraceKind kind = TraceKind::Rule;
    std::uint8_t family = 0;
    std::string_view table;  ///< into the message, as are the others
    std::string_view chain;
    std::uint64_t rule_handle = 0;
    std::optional<std::int32_t> verdict;  ///< of a rule
    std::optional<std::uint32_t> policy;
    std::uint32_t packet = 0;        ///< the same in all reports about a packet from one chain of one hook
    bool has_headers = false;        ///< the first report from each hook has the packet's headers
    std::optional<SeenProbe> probe;  ///< absent with headers: not a probe
};

/// Absent for another message.
[[nodiscard]] std::optional<TraceEvent> parse_trace_event(const netlink::Message& message);

}  // namespace headgate::rematch
