// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/flow_reader.h"

#include <optional>

#include "flow/flow_json.h"

namespace headgate {
namespace {

/// Ports, or what the protocol has in their place. Without a tracker in the kernel there are none.
void read_transport(JsonReader& reader, FlowTuple& tuple) {
    const bool gre = tuple.protocol == Protocol::Gre;
    const bool is_without = !reader.has("source_port") && !reader.has("destination_port") && !has_ports(tuple);
    if (has_ports(tuple.protocol) && is_without) return;
    if (has_ports(tuple.protocol) || gre) {
        reader.number(gre ? "source_key" : "source_port", tuple.source_port);
        reader.number(gre ? "destination_key" : "destination_port", tuple.destination_port);
    } else if (is_icmp(tuple.protocol)) {
        reader.number("icmp_type", tuple.icmp_type);
        reader.number("icmp_code", tuple.icmp_code);
        reader.number("icmp_id", tuple.icmp_id);
    }
}

/// A mapped address becomes the IPv4 address, except in a flow whose family was written as IPv6.
using ParseAddress = Result<Address> (*)(std::string_view);
ParseAddress address_parser(const JsonObject& flow) {
    return flow.text("family") == to_string(Family::Ipv6) ? parse_address_as_written : parse_address;
}

void read_tuple(JsonReader& reader, ParseAddress parse, FlowTuple& tuple) {
    reader.parsed("source", tuple.source, parse);
    reader.parsed("destination", tuple.destination, parse);
    read_transport(reader, tuple);
    if (tuple.source.family != tuple.destination.family) {
        reader.fail("destination", invalid("not of the source's family"));
    }
}

std::uint32_t read_status(const JsonObject& object) {
    std::uint32_t status = 0;
    for (const auto& name : object.texts("status").value_or(std::vector<std::string>{})) {
        for (unsigned bit = 0; bit < kStatusBits; ++bit)
            if (name == status_name(bit)) status |= 1U << bit;
    }
    return status;
}

std::optional<Counters> read_counters(const JsonObject& object, const std::string& suffix) {
    const auto packets = object.number<std::uint64_t>("packets" + suffix);
    const auto bytes = object.number<std::uint64_t>("bytes" + suffix);
    return packets && bytes ? std::optional{Counters{*packets, *bytes}} : std::nullopt;
}

/// Members that do not identify the flow, but describe it if it no longer exists.
void read_description(const JsonObject& object, Flow& flow) {
    flow.status = read_status(object);
    if (const auto seconds = object.number<std::uint32_t>("timeout_seconds")) {
        flow.timeout = std::chrono::seconds{*seconds};
    }
    if (const auto name = object.text("protocol_state")) {
        flow.protocol_state = parse_protocol_state(flow.original.protocol, *name);
    }
    flow.counters_original = read_counters(object, "");
    flow.counters_reply = read_counters(object, "_reply");
    if (const auto mark = object.number<std::uint32_t>("mark")) flow.mark = *mark;
}

/// GRE keys are the call ids of the two directions, and other protocols swap their ports: in both cases the translated
/// tuple is the swapped reply tuple.
void read_reply(JsonReader& reader, ParseAddress parse, Flow& flow) {
    FlowTuple after = flow.original;
    if (reader.has("translated")) {
        after = {};
        after.protocol = flow.original.protocol;
        reader.object("translated", [&](JsonReader& inner) { read_tuple(inner, parse, after); });
    }
    flow.reply = swapped(after);
}

}  // namespace

Result<Flow> read_flow(const JsonObject& object) {
    Flow flow;
    const auto parse = address_parser(object);
    JsonReader reader{object};
    reader.parsed("protocol", flow.original.protocol, parse_protocol);
    read_tuple(reader, parse, flow.original);
    reader.number("id", flow.id);
    reader.number("zone", flow.zone);
    reader.optional_parsed("zone_direction", flow.zone_direction, parse_name<ZoneDirection>);
    reader.optional_parsed("started_at", flow.started, parse_rfc3339);
    read_reply(reader, parse, flow);
    read_description(object, flow);
    return reader.finish().map([&] { return flow; });
}

}  // namespace headgate
