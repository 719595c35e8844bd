// From the kernel's events to ended flows.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "headgate/ended_flow.h"

#include "conntrack/end_events.h"

namespace headgate::flowlog {

/// Whose flow table the events of a network namespace are about.
struct WatchedEndpoint {
    std::shared_ptr<const Endpoint> endpoint;
    std::optional<std::uint16_t> conntrack_zone;  ///< absent: every zone that is no other endpoint's

    friend bool operator==(const WatchedEndpoint&, const WatchedEndpoint&) = default;
};

using WatchedEndpoints = std::vector<WatchedEndpoint>;

/// Who was behind netlink ports, at the time of the events.
using PortOwners = std::map<std::uint32_t, std::shared_ptr<const ForeignFlush>>;

/// Events as a listener received them, and what it knows beside them.
struct ReceivedEvents {
    std::unique_ptr<const conntrack::EventBlock> events;
    std::shared_ptr<const WatchedEndpoints> endpoints;  ///< at least one
    PortOwners owners;                                  ///< of each port in the events
};

/// Appends the flow of each event. Flows of a conntrack zone that no endpoint has are left out; so is what cannot be
/// read, whose number is returned.
[[nodiscard]] std::size_t read_events(const ReceivedEvents& received, std::vector<EndedFlow>& ended);

}  // namespace headgate::flowlog
