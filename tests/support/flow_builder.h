// SPDX-License-Identifier: GPL-2.0-or-later
// Builds flows for tests: tcp_flow().from("10.0.1.2", 4711).to("10.0.2.2", 80).established()
#pragma once

#include <string_view>

#include "headgate/flow.h"
#include "headgate/flow_filter.h"
#include "headgate/flow_query.h"

namespace headgate::testing {

class FlowBuilder {
  public:
    explicit FlowBuilder(Protocol protocol) {
        flow_.original.protocol = protocol;
        flow_.timeout = std::chrono::seconds{600};
        flow_.status = flow_status::kConfirmed;
        flow_.mark = 0;
        from("10.0.1.2", 40000).to("10.0.2.2", 80);
    }

    FlowBuilder& from(std::string_view address, std::uint16_t port = 40000) {
        flow_.original.source = parse_address(address).value();
        flow_.original.source_port = has_ports(flow_.original.protocol) ? port : std::uint16_t{0};
        return *this;
    }
    FlowBuilder& to(std::string_view address, std::uint16_t port = 80) {
        flow_.original.destination = parse_address(address).value();
        flow_.original.destination_port = has_ports(flow_.original.protocol) ? port : std::uint16_t{0};
        return *this;
    }
    FlowBuilder& from_port(std::uint16_t port) {
        flow_.original.source_port = port;
        return *this;
    }
    FlowBuilder& to_port(std::uint16_t port) {
        flow_.original.destination_port = port;
        return *this;
    }
    /// Source address and port, or the id of ICMP, after NAT (masquerade, SNAT).
    FlowBuilder& leaving_as(std::string_view address, std::uint16_t port) {
        translated_source_ = {parse_address(address).value(), port};
        return *this;
    }
    /// Destination address and port after NAT (DNAT).
    FlowBuilder& redirected_to(std::string_view address, std::uint16_t port) {
        translated_destination_ = {parse_address(address).value(), port};
        return *this;
    }
    /// The protocol's state number; TCP: 1 SYN_SENT, 3 ESTABLISHED, 7 TIME_WAIT.
    FlowBuilder& in_state(std::uint8_t state) {
        flow_.protocol_state = state;
        return *this;
    }
    FlowBuilder& established() {
        flow_.status |= flow_status::kSeenReply | flow_status::kAssured;
        if (flow_.original.protocol == Protocol::Tcp) flow_.protocol_state = std::uint8_t{3};
        return *this;
    }
    FlowBuilder& in_zone(std::uint16_t zone, ZoneDirection direction = ZoneDirection::Both) {
        flow_.zone = zone;
        flow_.zone_direction = direction;
        return *this;
    }
    FlowBuilder& with_mark(std::uint32_t mark) {
        flow_.mark = mark;
        return *this;
    }
    FlowBuilder& with_id(std::uint32_t id) {
        flow_.id = id;
        return *this;
    }
    FlowBuilder& with_bytes(std::uint64_t original, std::uint64_t reply) {
        flow_.counters_original = Counters{1, original};
        flow_.counters_reply = Counters{1, reply};
        return *this;
    }
    FlowBuilder& started_at(Timestamp when) {
        flow_.started = when;
        return *this;
    }
    FlowBuilder& echo(std::uint16_t id) {
        const bool v4 = flow_.original.protocol == Protocol::Icmp;
        flow_.original.icmp_type = v4 ? 8 : 128;
        flow_.original.icmp_id = id;
        return *this;
    }

    [[nodiscard]] Flow flow() const {
        Flow flow = flow_;
        flow.reply = swapped(flow.original);
        if (flow.original.protocol == Protocol::Icmp) flow.reply.icmp_type = 0;
        if (flow.original.protocol == Protocol::Icmpv6) flow.reply.icmp_type = 129;
        if (translated_source_) {
            flow.reply.destination = translated_source_->first;
            (is_icmp(flow.original.protocol) ? flow.reply.icmp_id : flow.reply.destination_port) =
                translated_source_->second;
        }
        if (translated_destination_) {
            flow.reply.source = translated_destination_->first;
            flow.reply.source_port = translated_destination_->second;
        }
        return flow;
    }
    [[nodiscard]] FlowTuple tuple() const { return flow().original; }
    operator Flow() const { return flow(); }        // NOLINT(google-explicit-constructor): reads better in tests
    operator FlowTuple() const { return tuple(); }  // NOLINT(google-explicit-constructor)

  private:
    Flow flow_;
    std::optional<std::pair<Address, std::uint16_t>> translated_source_, translated_destination_;
};

inline FlowBuilder tcp_flow() {
    return FlowBuilder{Protocol::Tcp};
}
inline FlowBuilder udp_flow() {
    return FlowBuilder{Protocol::Udp};
}
inline FlowBuilder sctp_flow() {
    return FlowBuilder{Protocol::Sctp};
}
inline FlowBuilder icmp_flow() {
    return FlowBuilder{Protocol::Icmp}.echo(7);
}
inline FlowBuilder icmpv6_flow() {
    return FlowBuilder{Protocol::Icmpv6}.from("2001:db8:1::2").to("2001:db8:2::2").echo(7);
}

inline FlowQuery query_for(std::string_view filter) {
    FlowQuery query;
    query.filters = {parse_flow_filter(filter).value()};
    return query;
}

inline FlowQuery query_for_all() {
    FlowQuery query;
    query.filters = {FlowFilter{}};
    return query;
}

}  // namespace headgate::testing
