// SPDX-License-Identifier: GPL-2.0-or-later
// Ended flows for tests of the flow log.
#pragma once

#include <memory>
#include <string>

#include "headgate/ended_flow.h"

#include "flow/flow_json.h"
#include "support/flow_builder.h"

namespace headgate::testing {

inline Timestamp time_of(std::string_view text) {
    return parse_rfc3339(text).value();
}

inline std::shared_ptr<const Endpoint> endpoint_named(std::string firewall, std::string availability_zone) {
    return std::make_shared<Endpoint>(Endpoint{std::move(firewall), std::move(availability_zone), {}});
}

/// On `edge`, zone `a`, in summer 2025; lasted 4.2 seconds.
inline EndedFlow ended(const FlowBuilder& builder, std::optional<EndReason> reason) {
    EndedFlow ended;
    ended.flow = builder.flow();
    ended.flow.started = time_of("2025-08-12T13:04:59.731000000Z");
    ended.flow.stopped = time_of("2025-08-12T13:05:03.931841999Z");
    ended.flow.mark.reset();
    ended.ended_at = *ended.flow.stopped;
    ended.reason = reason;
    ended.endpoint = endpoint_named("edge", "a");
    return ended;
}

/// An established TCP connection with SNAT, flushed by an operation: its record has every key possible for a flush.
inline EndedFlow flushed_flow() {
    auto flow = ended(tcp_flow()
                          .from("10.0.1.2", 43210)
                          .to("203.0.113.7", 443)
                          .leaving_as("198.51.100.1", 61000)
                          .established()
                          .with_id(3405691582)
                          .in_zone(7),
                      EndReason::Flushed);
    flow.flow.mark = 5;
    flow.flow.counters_original = Counters{12, 1840};
    flow.flow.counters_reply = Counters{10, 52100};
    flow.flush =
        std::make_shared<FlushAttribution>(FlushAttribution{"4f7b2c1e-9a60-4d0f-8b8e-2b1f0c9d7e31", "alice", "reject"});
    return flow;
}

/// A DNS query that another program, conntrack(8), deleted.
inline EndedFlow foreign_flushed_flow() {
    auto flow = ended(udp_flow().from("2001:db8:1::2", 40000).to("2001:db8:2::53", 53).established().with_id(77),
                      EndReason::Flushed);
    flow.flow.counters_original = Counters{1, 71};
    flow.flow.counters_reply = Counters{1, 135};
    flow.foreign = std::make_shared<ExternalDelete>(ExternalDelete{4711, "conntrack"});
    return flow;
}

/// An answered ping without counters, started before time stamps were enabled.
inline EndedFlow timed_out_ping() {
    auto flow = ended(icmp_flow().established().with_id(9), EndReason::Timeout);
    flow.flow.started.reset();
    return flow;
}

inline LostFlows lost_flows() {
    return {endpoint_named("edge", "a"), 1200, time_of("2025-08-12T13:05:00Z"), time_of("2025-08-12T13:05:03.5Z"),
            "the kernel had no room for their events"};
}

}  // namespace headgate::testing
