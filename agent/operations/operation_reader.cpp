#include "operations/operation_reader.h"

#include "flow/filter_fields.h"
#include "flow/flow_json.h"

namespace headgate::operations {
namespace {

/// More than is plausible by hand; each costs one comparison per flow.
constexpr std::size_t kMaxFilterTexts = 64;

void take_protocols(JsonReader& reader, FlowFilter& filter) {
    std::vector<Protocol> protocols;
    reader.optional_parsed_list("protocols", protocols, parse_protocol);
    for (const auto protocol : protocols) {
        const bool known = std::ranges::find(filter.protocols, protocol) != filter.protocols.end();
        if (!known) filter.protocols.push_back(protocol);
    }
}

void take_filter(JsonReader& reader, FlowFilter& filter) {
    for (const auto& field : kFilterFields) {
        reader.optional_parsed(field.member(), filter, [&](std::string_view text) {
            auto with_part = filter;
            return field.parse(with_part, text).map([&] { return std::move(with_part); });
        });
    }
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
    reader.parsed("type", operation.type, parse_type);
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
    reader.parsed("status", operation.status, parse_status);
    reader.optional_parsed("phase", operation.phase, one_of({OperationPhase::Identifying, OperationPhase::Flushing}));
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

void take_operation(JsonReader& reader, FlowOperation& operation) {
    take_request(reader, operation);
    take_result(reader, operation);
}

void take_query(JsonReader& reader, FlowQuery& query) {
    std::uint32_t minimum_age = 0;
    reader.optional_number("minimum_age_seconds", minimum_age);
    query.minimum_age = std::chrono::seconds{minimum_age};
    if (reader.has("filters")) reader.objects("filters", query.filters, take_filter);
    reader.optional_parsed("state", query.states, parse_state_scope);
    reader.optional_parsed("match", query.side, parse_match_side);
    bool both = false;
    reader.optional_flag("both_directions", both);
    query.direction = both ? MatchDirection::Both : MatchDirection::AsGiven;
    reader.optional_parsed("mark", query.mark, parse_mark_match);
    reader.optional_number("zone", query.zone);
    reader.optional_number("minimum_bytes", query.minimum_bytes);
    reader.optional_number("minimum_packets", query.minimum_packets);
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

Result<OperationType> parse_type(std::string_view text) {
    return one_of({OperationType::Capture, OperationType::Flush})(text);
}

Result<OperationStatus> parse_status(std::string_view text) {
    return one_of({OperationStatus::InProgress, OperationStatus::Completed, OperationStatus::CompletedWithErrors,
                   OperationStatus::Failed})(text);
}

}  // namespace headgate::operations
