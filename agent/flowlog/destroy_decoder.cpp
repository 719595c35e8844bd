// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/destroy_decoder.h"

#include <algorithm>

#include "headgate/clock.h"

#include "conntrack/flow_message.h"

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

/// Only the protocol's own state shows that a flow is closed; kernels before 5.11 omit it from the event.
bool is_closed(const Flow& flow) {
    return flow.protocol_state.has_value() && state(flow) == FlowState::Closed;
}

/// The DESTROY event omits the timeout if it is 0 (nf_conntrack_netlink.c, ctnetlink_dump_timeout: skip_zero).
bool ran_out_of_time(const Flow& flow) {
    return flow.timeout.value_or(std::chrono::seconds{0}).count() == 0;
}

/// The protocol's closing states (nf_conntrack_proto_tcp.c, tcp_can_early_drop; likewise for SCTP and DCCP), not
/// counting those in which the flow is closed.
bool is_closing(const Flow& flow) {
    const auto name = protocol_state_name(flow);
    if (!name) return false;
    switch (flow.original.protocol) {
        case Protocol::Tcp:
            return name == "FIN_WAIT" || name == "CLOSE_WAIT";
        case Protocol::Sctp:
            return name == "SHUTDOWN_SENT" || name == "SHUTDOWN_RECD";
        case Protocol::Dccp:
            return name == "CLOSEREQ";
        default:
            return false;
    }
}

/// Whether the kernel may remove the flow from a full table: early_drop_list() removes flows that are not assured, and
/// the garbage collector, above 95 % usage, also closing ones (nf_conntrack_core.c, gc_worker_can_early_drop). Such a
/// flow whose masqueraded interface went down is indistinguishable from an evicted one.
bool may_be_evicted(const Flow& flow) {
    return (flow.status & flow_status::kAssured) == 0 || is_closing(flow);
}

}  // namespace

std::size_t read_events(const ReceivedEvents& received, conntrack::ExpiredFlows* expired,
                        std::vector<EndedFlow>& ended) {
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
        if (message.header.nlmsg_pid == 0 && expired != nullptr && expired->forget(*flow)) continue;
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

std::optional<EndReason> reason_of(const Flow& flow, std::uint32_t port_id) {
    if (port_id != 0) return EndReason::Flushed;
    if (is_closed(flow)) return EndReason::Closed;
    if (ran_out_of_time(flow)) return EndReason::Timeout;
    if (may_be_evicted(flow)) return EndReason::Evicted;
    // For example, a masqueraded interface went down (nf_nat_masquerade.c, device_cmp).
    return std::nullopt;
}

}  // namespace headgate::flowlog
