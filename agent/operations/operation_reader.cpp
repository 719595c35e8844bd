#include "operations/operation_reader.h"

#include "flow/flow_json.h"

namespace headgate::operations {
namespace {

/// More than anybody writes by hand; each costs a comparison for every flow.
constexpr std::size_t kMaxFilterTexts = 64;

void take_protocols(JsonReader& reader, FlowFilter& filter) {
    std::vector<std::string> names;
    reader.optional_texts("protocols", names);
    for (const auto& name : names) {
        const auto protocol = parse_protocol(name);
        if (!protocol) return reader.fail("protocols", tl::unexpected(protocol.error()));
        const bool known = std::ranges::find(filter.protocols, *protocol) != filter.protocols.end();
        if (!known) filter.protocols.push_back(*protocol);
    }
}

void take_filter(JsonReader& reader, FlowFilter& filter) {
    reader.optional_parsed("source", filter.source, parse_prefix);
    reader.optional_parsed("destination", filter.destination, parse_prefix);
    reader.optional_parsed("source_port", filter.source_port, parse_port_range);
    reader.optional_parsed("destination_port", filter.destination_port, parse_port_range);
    take_protocols(reader, filter);
}

void take_caller(JsonReader& reader, Caller& caller) {
    reader.text("face", caller.face);
    reader.optional_number("uid", caller.uid);
    reader.optional_text("user", caller.user);
    reader.optional_text("sudo_user", caller.sudo_user);
    reader.optional_text("source_address", caller.source_address);
}

void take_counts(JsonReader& reader, OperationCounts& counts) {
    reader.number("scanned", counts.scanned);
    reader.number("matched", counts.matched);
    reader.number("flushed", counts.flushed);
    reader.number("gone", counts.gone);
    reader.number("failed", counts.failed);
    reader.number("protected", counts.protected_flows);
    reader.optional_number("age_unknown", counts.age_unknown);
    reader.optional_number("bytes_unknown", counts.bytes_unknown);
    reader.optional_number("closed", counts.closed);
}

void take_request(JsonReader& reader, FlowOperation& operation) {
    reader.text("operation_id", operation.id);
    reader.named("type", operation.type);
    take_endpoint(reader, operation.endpoint);
    reader.parsed("requested_at", operation.requested_at, parse_rfc3339);
    if (reader.has("machine_up_seconds")) reader.duration("machine_up_seconds", operation.machine_up.emplace());
    reader.object("requested_by", [&](JsonReader& inner) { take_caller(inner, operation.caller); });
    take_query(reader, operation.query);
    if (!operation.query.states) operation.query.states = default_states(operation.type);
    reader.optional_text("from_capture", operation.from_operation);
    reader.optional_flag("dry_run", operation.dry_run);
    reader.optional_flag("include_protected", operation.include_protected);
    reader.text("stream_exception_policy", operation.stream_exception_policy);
}

void take_result(JsonReader& reader, FlowOperation& operation) {
    reader.named("status", operation.status);
    reader.optional_parsed("phase", operation.phase, parse_name<OperationPhase>);
    reader.optional_text("status_message", operation.status_message);
    reader.optional_text("detail", operation.detail);
    reader.optional_flag("refused", operation.refused);
    reader.optional_texts("warnings", operation.warnings);
    reader.optional_text("plan", operation.plan);
    reader.optional_number("restarts", operation.restarts);
    reader.duration("duration_ms", operation.duration);
    reader.object("counts", [&](JsonReader& inner) { take_counts(inner, operation.counts); });
}

}  // namespace

Result<FlowOperation> read_operation(const JsonObject& object) {
    FlowOperation operation;
    JsonReader reader{object};
    take_request(reader, operation);
    take_result(reader, operation);
    return reader.finish().map([&] { return std::move(operation); });
}

void take_query(JsonReader& reader, FlowQuery& query) {
    std::uint32_t minimum_age = 0;
    reader.optional_number("minimum_age_seconds", minimum_age);
    query.minimum_age = std::chrono::seconds{minimum_age};
    if (reader.has("filters")) reader.objects("filters", query.filters, take_filter);
    reader.optional_parsed("state", query.states, parse_name_in_any_case<StateScope>);
    reader.optional_parsed("match", query.side, parse_name<MatchSide>);
    bool both = false;
    reader.optional_flag("both_directions", both);
    query.direction = both ? MatchDirection::Both : MatchDirection::AsGiven;
    reader.optional_parsed("mark", query.mark, parse_mark_match);
    reader.optional_number("zone", query.zone);
    reader.optional_number("minimum_bytes", query.minimum_bytes);
}

void take_filter_texts(JsonReader& reader, const std::string& name, std::vector<FlowFilter>& filters) {
    std::vector<std::string> texts;
    reader.optional_texts(name, texts);
    if (texts.size() > kMaxFilterTexts) {
        return reader.fail(name, invalid("{} filters; {} at most", texts.size(), kMaxFilterTexts));
    }
    for (const auto& text : texts) {
        auto filter = parse_flow_filter(text);
        if (!filter) return reader.fail(name, tl::unexpected(std::move(filter.error())));
        filters.push_back(std::move(*filter));
    }
}

void take_endpoint(JsonReader& reader, Endpoint& endpoint) {
    reader.text("firewall", endpoint.firewall);
    reader.text("availability_zone", endpoint.availability_zone);
    reader.optional_text("netns", endpoint.network_namespace);
}

}  // namespace headgate::operations
