#include "flowlog/end_reason.h"

namespace headgate::flowlog {
namespace {

/// Only a protocol's own state says that it is closed; kernels before 5.11 leave it out of the event.
bool is_closed(const Flow& flow) {
    return flow.protocol_state.has_value() && state(flow) == FlowState::Closed;
}

/// The last event leaves out a time that has run out (nf_conntrack_netlink.c, ctnetlink_dump_timeout: skip_zero).
bool ran_out_of_time(const Flow& flow) {
    return flow.timeout.value_or(std::chrono::seconds{0}).count() == 0;
}

/// States in which a flow is on its way to its end (nf_conntrack_proto_tcp.c, tcp_can_early_drop, and likewise of sctp
/// and dccp), beside those in which it is closed.
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

/// Whether a full table would take this flow's place: early_drop_list() takes what is not assured, and the garbage
/// collector, from 95 % on, also what is about to close (nf_conntrack_core.c, gc_worker_can_early_drop). Not to be told
/// apart from such a flow whose masqueraded interface went down.
bool may_be_evicted(const Flow& flow) {
    return (flow.status & flow_status::kAssured) == 0 || is_closing(flow);
}

}  // namespace

std::optional<EndReason> reason_of(const Flow& flow, std::uint32_t port_id) {
    if (port_id != 0) return EndReason::Flushed;
    if (is_closed(flow)) return EndReason::Closed;
    if (ran_out_of_time(flow)) return EndReason::Timeout;
    if (may_be_evicted(flow)) return EndReason::Evicted;
    // For one, an interface that is masqueraded to went away (nf_nat_masquerade.c, device_cmp).
    return std::nullopt;
}

}  // namespace headgate::flowlog
