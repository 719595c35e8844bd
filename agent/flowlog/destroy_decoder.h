// SPDX-License-Identifier: GPL-2.0-or-later
// Converts the kernel's DESTROY events to ended flows, each with the reason why it ended.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "headgate/ended_flow.h"

#include "conntrack/destroy_events.h"
#include "conntrack/expiry/expired_flows.h"

namespace headgate::flowlog {

/// An endpoint whose flow table is in the observed network namespace.
struct WatchedEndpoint {
    std::shared_ptr<const Endpoint> endpoint;
    std::optional<std::uint16_t> conntrack_zone;  ///< absent: all zones without an endpoint of their own

    friend bool operator==(const WatchedEndpoint&, const WatchedEndpoint&) = default;
};

using WatchedEndpoints = std::vector<WatchedEndpoint>;

/// The processes behind netlink port IDs, at the time of the events.
using PortOwners = std::map<std::uint32_t, std::shared_ptr<const ExternalDelete>>;

/// Events as a listener received them, with what is needed to interpret them.
struct ReceivedEvents {
    std::unique_ptr<const conntrack::EventBlock> events;
    std::shared_ptr<const WatchedEndpoints> endpoints;  ///< at least one
    PortOwners owners;                                  ///< for each port ID in the events
};

/// Appends the flow of each event. Flows in a conntrack zone without an endpoint are omitted, and `expired` ones if
/// any. Returns the number of events that could not be decoded; those are omitted too.
[[nodiscard]] std::size_t read_events(const ReceivedEvents& received, conntrack::ExpiredFlows* expired,
                                      std::vector<EndedFlow>& ended);

/// Why a flow ended, by its DESTROY event. `port_id`: the event's netlink port ID; 0 if the kernel itself ended the
/// flow. Absent if the event shows no reason.
[[nodiscard]] std::optional<EndReason> reason_of(const Flow& flow, std::uint32_t port_id);

}  // namespace headgate::flowlog
