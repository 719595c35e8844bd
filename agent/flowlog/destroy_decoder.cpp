// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/destroy_decoder.h"

#include <algorithm>

#include "headgate/clock.h"

#include "conntrack/flow_message.h"
#include "flowlog/end_reason.h"

namespace headgate::flowlog {
namespace {

const std::shared_ptr<const Endpoint>* endpoint_of(const WatchedEndpoints& endpoints, std::uint16_t zone) {
    const auto of_zone = std::ranges::find(endpoints, std::optional{zone}, &WatchedEndpoint::conntrack_zone);
    if (of_zone != endpoints.end()) return &of_zone->endpoint;
    const auto of_any = std::ranges::find(endpoints, std::optional<std::uint16_t>{}, &WatchedEndpoint::conntrack_zone);
    return of_any != endpoints.end() ? &of_any->endpoint : nullptr;
}

std::shared_ptr<const ExternalDelete> owner_of(std::uint32_t port_id, const PortOwners& owners) {
    if (port_id == 0) return nullptr;
    const auto known = owners.find(port_id);
    return known != owners.end() ? known->second : std::make_shared<const ExternalDelete>(ExternalDelete{port_id, {}});
}

}  // namespace

std::size_t read_events(const ReceivedEvents& received, std::vector<EndedFlow>& ended) {
    std::size_t unreadable = 0;
    const auto up = std::chrono::floor<std::chrono::seconds>(SystemClock{}.up());
    netlink::Message message;
    for (auto reader = received.events->messages(); reader.next(message);) {
        if (!conntrack::FlowMessage::is_internet_family(message.payload)) continue;
        const auto event = conntrack::FlowMessage::parse(message.payload);
        auto flow = event ? event->decode() : tl::unexpected(event.error());
        if (!flow) {
            ++unreadable;
            continue;
        }
        const auto* const endpoint = endpoint_of(*received.endpoints, flow->zone);
        if (endpoint == nullptr) continue;
        flow->status &= ~flow_status::kDying;  // set because it ended; not part of its last state
        auto& each = ended.emplace_back();
        each.ended_at = flow->stopped.value_or(received.events->received_at());
        each.machine_up = up;
        each.reason = reason_of(*flow, message.header.nlmsg_pid);
        each.endpoint = *endpoint;
        each.foreign = owner_of(message.header.nlmsg_pid, received.owners);
        each.flow = *flow;
    }
    return unreadable;
}

}  // namespace headgate::flowlog
