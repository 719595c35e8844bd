#include "operations/operation_json.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "flow/flow_json.h"
#include "flow/json_members.h"

namespace headgate::operations {
namespace {

void append_filter(fmt::memory_buffer& out, const FlowFilter& filter) {
    out.push_back('{');
    JsonMembers members{out};
    if (filter.source) members.text("source", to_string(*filter.source));
    if (filter.destination) members.text("destination", to_string(*filter.destination));
    if (filter.source_port) members.text("source_port", to_string(*filter.source_port));
    if (filter.destination_port) members.text("destination_port", to_string(*filter.destination_port));
    if (!filter.protocols.empty()) {
        std::vector<std::string_view> names;
        std::ranges::transform(filter.protocols, std::back_inserter(names),
                               [](Protocol each) { return to_string(each); });
        members.texts("protocols", names);
    }
    out.push_back('}');
}

void append_filters(fmt::memory_buffer& out, const std::vector<FlowFilter>& filters) {
    out.push_back('[');
    bool first = true;
    for (const auto& filter : filters) {
        if (!std::exchange(first, false)) out.push_back(',');
        append_filter(out, filter);
    }
    out.push_back(']');
}

/// What stands beside the filters, where it is not the usual.
void append_conditions(JsonMembers& members, const FlowQuery& query) {
    if (query.states != StateScope::Active) members.text("state", to_string(query.states));
    if (query.side != MatchSide::Original) members.text("match", to_string(query.side));
    if (query.direction == MatchDirection::Both) members.number("both_directions", true);
    if (query.mark) members.text("mark", to_string(*query.mark));
    if (query.zone) members.number("zone", *query.zone);
    if (query.minimum_bytes) members.number("minimum_bytes", *query.minimum_bytes);
}

void append_counts(fmt::memory_buffer& out, const OperationCounts& counts) {
    out.push_back('{');
    JsonMembers members{out};
    members.number("scanned", counts.scanned);
    members.number("matched", counts.matched);
    members.number("flushed", counts.flushed);
    members.number("gone", counts.gone);
    members.number("failed", counts.failed);
    members.number("protected", counts.protected_flows);
    if (counts.age_unknown != 0) members.number("age_unknown", counts.age_unknown);
    if (counts.bytes_unknown != 0) members.number("bytes_unknown", counts.bytes_unknown);
    out.push_back('}');
}

}  // namespace

void append_request_members(fmt::memory_buffer& out, const FlowOperation& operation) {
    JsonMembers members{out};
    members.text("operation_id", operation.id);
    members.text("type", to_string(operation.type));
    members.text("firewall", operation.endpoint.firewall);
    members.text("availability_zone", operation.endpoint.availability_zone);
    if (!operation.endpoint.network_namespace.empty()) members.text("netns", operation.endpoint.network_namespace);
    members.text("requested_at", to_rfc3339(operation.requested_at));
    members.number("minimum_age_seconds", operation.query.minimum_age.count());
    members.key("filters");
    append_filters(out, operation.query.filters);
    append_conditions(members, operation.query);
    if (operation.dry_run) members.number("dry_run", true);
    members.text("stream_exception_policy", operation.stream_exception_policy);
}

void append_result_members(fmt::memory_buffer& out, const FlowOperation& operation) {
    JsonMembers members{out, JsonMembers::Place::Later};
    members.text("status", to_string(operation.status));
    if (!operation.status_message.empty()) members.text("status_message", operation.status_message);
    if (!operation.detail.empty()) members.text("detail", operation.detail);
    if (!operation.warnings.empty()) members.texts("warnings", operation.warnings);
    members.number("duration_ms", operation.duration.count());
    members.key("counts");
    append_counts(out, operation.counts);
}

}  // namespace headgate::operations
