#include "operations/flow_reader.h"

#include <optional>
#include <system_error>

#include "flow/flow_json.h"

namespace headgate::operations {
namespace {

template <typename T>
Result<void> take_number(const JsonObject& object, const std::string& name, T& slot) {
    return read_number<T>(object, name).map([&](T number) { slot = number; });
}

template <typename T>
std::optional<T> optional_number(const JsonObject& object, const std::string& name) {
    const auto number = read_number<T>(object, name);
    return number ? std::optional<T>{*number} : std::nullopt;
}

/// A text member that `parse` makes something of.
template <typename T>
Result<void> take_parsed(const JsonObject& object, const std::string& name, T& slot,
                         Result<T> (*parse)(std::string_view)) {
    return read_parsed(object, name, parse).map([&](const T& value) { slot = value; });
}

/// What stands in place of ports, by protocol. Where a kernel has no tracker for it, there are none.
Result<void> take_transport(const JsonObject& object, FlowTuple& tuple) {
    const bool gre = tuple.protocol == Protocol::Gre;
    const bool is_without = !object->has("source_port") && !object->has("destination_port") && !has_ports(tuple);
    if (has_ports(tuple.protocol) && is_without) return {};
    if (has_ports(tuple.protocol) || gre) {
        return take_number(object, gre ? "source_key" : "source_port", tuple.source_port).and_then([&] {
            return take_number(object, gre ? "destination_key" : "destination_port", tuple.destination_port);
        });
    }
    if (!is_icmp(tuple.protocol)) return {};
    return take_number(object, "icmp_type", tuple.icmp_type)
        .and_then([&] { return take_number(object, "icmp_code", tuple.icmp_code); })
        .and_then([&] { return take_number(object, "icmp_id", tuple.icmp_id); });
}

/// A mapped address is the IPv4 address, unless it is that of an IPv6 flow and was told so.
using ParseAddress = Result<Address> (*)(std::string_view);
ParseAddress address_parser(const JsonObject& flow) {
    return read_text(flow, "family") == to_string(Family::Ipv6) ? parse_address_as_written : parse_address;
}

Result<FlowTuple> read_tuple(const JsonObject& object, Protocol protocol, ParseAddress parse) {
    FlowTuple tuple;
    tuple.protocol = protocol;
    auto read = take_parsed(object, "source", tuple.source, parse)
                    .and_then([&] { return take_parsed(object, "destination", tuple.destination, parse); })
                    .and_then([&] { return take_transport(object, tuple); });
    if (!read) return tl::unexpected(std::move(read.error()));
    if (tuple.source.family != tuple.destination.family) return invalid("destination: not of the source's family");
    return tuple;
}

std::uint32_t read_status(const JsonObject& object) {
    std::uint32_t status = 0;
    const auto names = object->getArray("status");
    for (std::size_t i = 0; !names.isNull() && i < names->size(); ++i) {
        const auto name = names->get(static_cast<unsigned>(i));
        for (unsigned bit = 0; name.isString() && bit < kStatusBits; ++bit) {
            if (name.extract<std::string>() == status_name(bit)) status |= 1U << bit;
        }
    }
    return status;
}

std::optional<Counters> read_counters(const JsonObject& object, const std::string& suffix) {
    const auto packets = optional_number<std::uint64_t>(object, "packets" + suffix);
    const auto bytes = optional_number<std::uint64_t>(object, "bytes" + suffix);
    return packets && bytes ? std::optional{Counters{*packets, *bytes}} : std::nullopt;
}

/// What is not needed to find the flow again, but is told of it should it be gone.
void take_description(const JsonObject& object, Flow& flow) {
    flow.status = read_status(object);
    if (const auto seconds = optional_number<std::uint32_t>(object, "timeout_seconds")) {
        flow.timeout = std::chrono::seconds{*seconds};
    }
    if (const auto name = read_text(object, "protocol_state")) {
        flow.protocol_state = parse_protocol_state(flow.original.protocol, *name);
    }
    flow.counters_original = read_counters(object, "");
    flow.counters_reply = read_counters(object, "_reply");
    flow.mark = optional_number<std::uint32_t>(object, "mark");
}

Result<void> take_zone_direction(const JsonObject& object, Flow& flow) {
    if (!object->has("zone_direction")) return {};
    return read_parsed(object, "zone_direction", parse_name<ZoneDirection>).map([&](ZoneDirection direction) {
        flow.zone_direction = direction;
    });
}

Result<void> take_start(const JsonObject& object, Flow& flow) {
    if (!object->has("started_at")) return {};
    return take_parsed(object, "started_at", flow.started.emplace(), parse_rfc3339);
}

/// A GRE tuple's keys are the call ids of the two directions and other protocols swap their ports: either way the
/// translated tuple is the reply's, swapped.
Result<void> take_reply(const JsonObject& object, Flow& flow) {
    flow.reply = swapped(flow.original);
    if (!object->has("translated")) return {};
    const auto inner = object->getObject("translated");
    if (!inner) return invalid("translated: not an object");
    const auto after = read_tuple(inner, flow.original.protocol, address_parser(object));
    if (!after) return tl::unexpected(Error{after.error()}.within("translated"));
    flow.reply = swapped(*after);
    return {};
}

Result<std::optional<Outcome>> read_outcome(const JsonObject& object) {
    if (!object->has("outcome")) return std::nullopt;
    const auto outcome = read_parsed(object, "outcome", parse_name<Outcome>);
    if (!outcome) return tl::unexpected(outcome.error());
    return *outcome;
}

/// An error is told by its text, as strerror(3) has it.
Result<int> read_error(const JsonObject& object) {
    if (!object->has("error")) return 0;
    const auto text = read_text(object, "error");
    if (!text) return tl::unexpected(text.error());
    constexpr int kLastErrno = 133;  // EHWPOISON (include/uapi/asm-generic/errno.h)
    for (int number = 1; number <= kLastErrno; ++number) {
        if (std::generic_category().message(number) == *text) return number;
    }
    return invalid("error: \"{}\" is no error of this system", *text);
}

}  // namespace

Result<Flow> read_flow(const JsonObject& object) {
    Flow flow;
    const auto protocol = read_parsed(object, "protocol", parse_protocol);
    if (!protocol) return tl::unexpected(protocol.error());
    const auto original = read_tuple(object, *protocol, address_parser(object));
    if (!original) return tl::unexpected(original.error());
    flow.original = *original;
    auto read = take_number(object, "id", flow.id)
                    .and_then([&] { return take_number(object, "zone", flow.zone); })
                    .and_then([&] { return take_zone_direction(object, flow); })
                    .and_then([&] { return take_start(object, flow); })
                    .and_then([&] { return take_reply(object, flow); });
    if (!read) return tl::unexpected(std::move(read.error()));
    take_description(object, flow);
    return flow;
}

Result<StoredFlow> read_stored_flow(const JsonObject& object) {
    auto flow = read_flow(object);
    if (!flow) return tl::unexpected(std::move(flow.error()));
    const auto outcome = read_outcome(object);
    if (!outcome) return tl::unexpected(outcome.error());
    const auto error = read_error(object);
    if (!error) return tl::unexpected(error.error());
    StoredFlow stored{*flow, *outcome, *error};
    const bool over = *outcome == Outcome::Flushed || *outcome == Outcome::Gone;
    const auto age = optional_number<std::uint32_t>(object, "age_seconds");
    if (over && age && flow->started) stored.flow.stopped = *flow->started + std::chrono::seconds{*age};
    return stored;
}

}  // namespace headgate::operations
