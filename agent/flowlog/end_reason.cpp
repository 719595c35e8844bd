// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/end_reason.h"

namespace headgate::flowlog {
namespace {

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

std::optional<EndReason> reason_of(const Flow& flow, std::uint32_t port_id) {
    if (port_id != 0) return EndReason::Flushed;
    if (is_closed(flow)) return EndReason::Closed;
    if (ran_out_of_time(flow)) return EndReason::Timeout;
    if (may_be_evicted(flow)) return EndReason::Evicted;
    // For example, a masqueraded interface went down (nf_nat_masquerade.c, device_cmp).
    return std::nullopt;
}

}  // namespace headgate::flowlog
