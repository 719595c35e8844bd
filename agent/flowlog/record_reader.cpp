// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/record_reader.h"

#include <limits>

#include "flow/json_reader.h"

namespace headgate::flowlog {
namespace {

/// In bytes. A record has about 700, but names in it may be long.
constexpr std::size_t kLongestLine = 64 * 1024;

void read_ends(JsonReader& object, FlowTuple& tuple) {
    object.parsed("src_ip", tuple.source, parse_address_as_written);
    object.parsed("dest_ip", tuple.destination, parse_address_as_written);
    object.optional_number("src_port", tuple.source_port);
    object.optional_number("dest_port", tuple.destination_port);
}

void read_tuple(JsonReader& event, FlowTuple& tuple) {
    read_ends(event, tuple);
    event.parsed("proto", tuple.protocol, parse_protocol);
    event.optional_number("icmp_type", tuple.icmp_type);
    event.optional_number("icmp_code", tuple.icmp_code);
    if (tuple.source.family != tuple.destination.family) event.fail("dest_ip", invalid("not of the family of src_ip"));
}

void read_life(JsonReader& life, LoggedFlow& flow) {
    std::optional<std::uint32_t> age;
    life.optional_number("age", age);
    if (age) flow.age = std::chrono::seconds{*age};
    life.optional_parsed("reason", flow.reason, parse_name_in_any_case<EndReason>);
    life.optional_text("last_state", flow.last_state);
}

/// Sum over both directions, either of which may lack counters; saturates at the maximum.
std::optional<std::uint64_t> sum(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
    if (!a || !b) return a ? a : b;
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    return *a > kMost - *b ? kMost : *a + *b;
}

void read_two_ways(JsonReader& event, LoggedFlow& flow) {
    event.object("flow", [&](JsonReader& life) {
        std::optional<std::uint64_t> sent_packets;
        std::optional<std::uint64_t> answered_packets;
        std::optional<std::uint64_t> sent_bytes;
        std::optional<std::uint64_t> answered_bytes;
        life.optional_number("pkts_toserver", sent_packets);
        life.optional_number("pkts_toclient", answered_packets);
        life.optional_number("bytes_toserver", sent_bytes);
        life.optional_number("bytes_toclient", answered_bytes);
        flow.packets = sum(sent_packets, answered_packets);
        flow.bytes = sum(sent_bytes, answered_bytes);
        read_life(life, flow);
    });
}

void read_one_way(JsonReader& event, LoggedFlow& flow) {
    event.object("netflow", [&](JsonReader& life) {
        life.optional_number("pkts", flow.packets);
        life.optional_number("bytes", flow.bytes);
        read_life(life, flow);
    });
}

void read_provenance(JsonReader& event, LoggedFlow& flow) {
    event.optional_object("headgate", [&](JsonReader& headgate) {
        headgate.optional_text("firewall", flow.firewall);
        headgate.optional_text("availability_zone", flow.availability_zone);
        headgate.optional_text("operation_id", flow.operation_id);
        headgate.optional_text("user", flow.user);
        headgate.optional_object("flushed_by", [&](JsonReader& foreign) {
            foreign.number("port_id", flow.port_id.emplace());
            foreign.optional_text("process", flow.process);
        });
    });
}

/// Absent if it is an event of another kind.
std::optional<LoggedFlow> read_event(JsonReader& event) {
    std::string type;
    event.text("event_type", type);
    if (type != "flow" && type != "netflow") return std::nullopt;
    LoggedFlow flow;
    event.text("timestamp", flow.ended_at);
    event.optional_number("flow_id", flow.flow_id);
    read_tuple(event, flow.tuple);
    flow.translated = flow.tuple;
    event.optional_object("nat", [&](JsonReader& nat) { read_ends(nat, flow.translated); });
    type == "flow" ? read_two_ways(event, flow) : read_one_way(event, flow);
    for (const auto* protocol : {"tcp", "sctp", "dccp"}) {
        event.optional_object(protocol, [&](JsonReader& inner) { inner.optional_text("state", flow.protocol_state); });
    }
    read_provenance(event, flow);
    return flow;
}

std::string read_loss(JsonReader& event) {
    std::string type;
    std::string message;
    event.text("event_type", type);
    if (type != "engine") return {};
    event.object("engine", [&](JsonReader& engine) {
        std::string module;
        engine.optional_text("module", module);
        if (module == "flow-log") engine.text("message", message);
    });
    return message;
}

/// Applies `read(JsonReader&)` to the event in the line, with or without an envelope.
template <typename Read>
auto read_line(std::string_view line, const Read& read) -> Result<decltype(read(std::declval<JsonReader&>()))> {
    if (line.size() > kLongestLine) return invalid("longer than {} bytes", kLongestLine);
    return read_json<decltype(read(std::declval<JsonReader&>()))>(line, [&](JsonReader& outer, auto& found) {
        if (outer.has("event")) {
            outer.object("event", [&](JsonReader& event) { found = read(event); });
        } else {
            found = read(outer);
        }
    });
}

}  // namespace

Result<std::optional<LoggedFlow>> parse_record(std::string_view line) {
    return read_line(line, read_event);
}

Result<std::string> parse_loss(std::string_view line) {
    return read_line(line, read_loss);
}

}  // namespace headgate::flowlog
