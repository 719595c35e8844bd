#include "operations/operation_json.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "flow/filter_fields.h"
#include "flow/flow_json.h"

namespace headgate::operations {
namespace {

void add_filter(JsonMembers& members, const FlowFilter& filter) {
    for (const auto& field : kFilterFields)
        if (const auto value = field.print(filter); !value.empty()) members.text(field.member(), value);
    if (!filter.protocols.empty()) {
        std::vector<std::string_view> names;
        std::ranges::transform(filter.protocols, std::back_inserter(names),
                               [](Protocol each) { return to_string(each); });
        members.texts("protocols", names);
    }
}

}  // namespace

void add_query_of(JsonMembers& members, const FlowOperation& operation) {
    auto query = operation.query;
    if (query.states == default_states(operation.type)) query.states.reset();
    add_query(members, query);
}

void add_query(JsonMembers& members, const FlowQuery& query) {
    members.number("minimum_age_seconds", query.minimum_age.count());
    members.objects("filters", query.filters, add_filter);
    if (query.states) members.text("state", to_string(*query.states));
    if (query.side != MatchSide::Original) members.text("match", to_string(query.side));
    if (query.direction == MatchDirection::Both) members.number("both_directions", true);
    if (query.mark) members.text("mark", to_string(*query.mark));
    if (query.zone) members.number("zone", *query.zone);
    if (query.minimum_bytes) members.number("minimum_bytes", *query.minimum_bytes);
    if (query.minimum_packets) members.number("minimum_packets", *query.minimum_packets);
}

void add_endpoint(JsonMembers& members, const Endpoint& endpoint) {
    members.text("firewall", endpoint.firewall);
    members.text("availability_zone", endpoint.availability_zone);
    if (!endpoint.network_namespace.empty()) members.text("netns", endpoint.network_namespace);
}

void add_caller(JsonMembers& members, const Caller& caller) {
    members.text("face", caller.face);
    if (caller.uid) members.number("uid", *caller.uid);
    if (!caller.user.empty()) members.text("user", caller.user);
    if (!caller.sudo_user.empty()) members.text("sudo_user", caller.sudo_user);
    if (!caller.source_address.empty()) members.text("source_address", caller.source_address);
}

void add_counts(JsonMembers& members, const OperationCounts& counts) {
    members.number("scanned", counts.scanned);
    members.number("matched", counts.matched);
    members.number("flushed", counts.flushed);
    members.number("gone", counts.gone);
    members.number("failed", counts.failed);
    members.number("protected", counts.protected_flows);
    if (counts.age_unknown != 0) members.number("age_unknown", counts.age_unknown);
    if (counts.bytes_unknown != 0) members.number("bytes_unknown", counts.bytes_unknown);
    if (counts.closed != 0) members.number("closed", counts.closed);
}

void append_request_members(fmt::memory_buffer& out, const FlowOperation& operation) {
    JsonMembers members{out};
    members.text("operation_id", operation.id);
    members.text("type", to_string(operation.type));
    add_endpoint(members, operation.endpoint);
    members.text("requested_at", to_rfc3339(operation.requested_at));
    if (operation.machine_up) members.number("machine_up_seconds", operation.machine_up->count());
    members.object("requested_by", [&](JsonMembers& inner) { add_caller(inner, operation.caller); });
    add_query_of(members, operation);
    if (!operation.from_operation.empty()) members.text("from_capture", operation.from_operation);
    if (operation.dry_run) members.number("dry_run", true);
    if (operation.include_protected) members.number("include_protected", true);
}

void append_result_members(fmt::memory_buffer& out, const FlowOperation& operation) {
    JsonMembers members{out, JsonMembers::Place::Later};
    members.text("status", to_string(operation.status));
    if (operation.status == OperationStatus::InProgress) members.text("phase", to_string(operation.phase));
    if (!operation.status_message.empty()) members.text("status_message", operation.status_message);
    if (!operation.detail.empty()) members.text("detail", operation.detail);
    if (operation.refused) members.number("refused", true);
    if (!operation.warnings.empty()) members.texts("warnings", operation.warnings);
    members.text("stream_exception_policy", operation.stream_exception_policy);
    if (!operation.plan.empty()) members.text("plan", operation.plan);
    if (operation.restarts != 0) members.number("restarts", operation.restarts);
    members.number("duration_ms", operation.duration.count());
    members.object("counts", [&](JsonMembers& inner) { add_counts(inner, operation.counts); });
}

void append_operation_json(fmt::memory_buffer& out, const FlowOperation& operation) {
    out.push_back('{');
    append_request_members(out, operation);
    append_result_members(out, operation);
    out.push_back('}');
}

}  // namespace headgate::operations
