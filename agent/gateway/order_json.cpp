#include "gateway/order_json.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "config/names.h"
#include "flow/json_members.h"
#include "operations/operation_json.h"
#include "operations/operation_reader.h"

namespace headgate::gateway {
namespace {

std::vector<std::string> texts_of(const std::vector<FlowFilter>& filters) {
    std::vector<std::string> texts;
    std::ranges::transform(filters, std::back_inserter(texts), [](const auto& each) { return to_string(each); });
    return texts;
}

Result<void> tellable(const EndpointName& endpoint) {
    if (!endpoint.network_namespace) return {};
    return invalid("netns: a one-off run is not the agent's business");
}

void add_sessions(JsonMembers& members, const sessions::CallerSessions& sessions) {
    if (!sessions.own.empty()) members.texts("own_sessions", texts_of(sessions.own));
    if (!sessions.found.empty()) members.texts("ssh_sessions", texts_of(sessions.found));
}

void take_sessions(JsonReader& reader, sessions::CallerSessions& sessions) {
    operations::take_filter_texts(reader, "own_sessions", sessions.own);
    operations::take_filter_texts(reader, "ssh_sessions", sessions.found);
}

void add_flush(JsonMembers& members, const OperationOrder& order) {
    if (!order.from_operation.empty()) members.text("from_capture", order.from_operation);
    if (order.maximum_flows) members.number("maximum_flows", *order.maximum_flows);
    if (order.dry_run) members.number("dry_run", true);
    if (order.include_protected) members.number("include_protected", true);
    if (!order.spared.empty()) members.texts("protected", texts_of(order.spared));
    add_sessions(members, order.sessions);
    if (order.stream_exception_policy) members.text("stream_exception_policy", *order.stream_exception_policy);
    if (order.require_policy) members.number("require_policy", true);
}

/// True where one of them was given.
bool take_flush(JsonReader& reader, OperationOrder& order) {
    bool given = false;
    for (const auto* name : {"from_capture", "maximum_flows", "dry_run", "include_protected", "protected",
                             "own_sessions", "ssh_sessions", "stream_exception_policy", "require_policy"})
        given = reader.has(name) || given;
    reader.optional_text("from_capture", order.from_operation);
    reader.optional_number("maximum_flows", order.maximum_flows);
    reader.optional_flag("dry_run", order.dry_run);
    reader.optional_flag("include_protected", order.include_protected);
    operations::take_filter_texts(reader, "protected", order.spared);
    take_sessions(reader, order.sessions);
    reader.optional_parsed("stream_exception_policy", order.stream_exception_policy, parse_remote_policy);
    reader.optional_flag("require_policy", order.require_policy);
    return given;
}

/// The flows of a capture are flushed as they were captured: a query beside them would be asked by nobody.
Result<void> check_captured_query(const FlowQuery& query) {
    FlowQuery nothing;
    nothing.zone = query.zone;  // is compared with that of each flow
    if (query == nothing) return {};
    return invalid("from_capture: takes the flows as they were captured, so there is nothing else to say of them");
}

bool finds_all(const FlowQuery& query) {
    return std::ranges::any_of(query.filters, &FlowFilter::matches_everything);
}

/// `all`: whether somebody has said that every flow is meant.
Result<FlowQuery> checked_query(OperationOrder& order, bool all) {
    if (!order.from_operation.empty()) {
        return check_captured_query(order.query).map([&] { return std::move(order.query); });
    }
    if (order.query.filters.empty()) return invalid("filters: name the flows; an empty filter, {{}}, means every one");
    if (order.type == OperationType::Flush && !all && finds_all(order.query)) {
        return invalid("filters: one leaves no flow out; to flush every flow, say so: \"all\": true");
    }
    auto query = validated(std::move(order.query));
    if (!query) return tl::unexpected(std::move(query.error()).within("filters"));
    return query;
}

}  // namespace

Result<void> append_order_json(fmt::memory_buffer& out, const OperationOrder& order) {
    if (order.captured) return invalid("the flows of a file cannot be handed to the agent");
    if (auto tells = tellable(order.endpoint); !tells) return tells;
    out.push_back('{');
    JsonMembers members{out};
    members.text("type", to_string(order.type));
    if (order.endpoint.firewall) members.text("firewall", *order.endpoint.firewall);
    if (order.endpoint.availability_zone) members.text("availability_zone", *order.endpoint.availability_zone);
    operations::add_query(members, order.query);
    if (order.type == OperationType::Flush && finds_all(order.query)) members.number("all", true);
    if (order.type == OperationType::Flush) add_flush(members, order);
    out.push_back('}');
    return {};
}

Result<void> append_policy_order_json(fmt::memory_buffer& out, const PolicyOrder& order) {
    if (auto tells = tellable(order.endpoint); !tells) return tells;
    out.push_back('{');
    JsonMembers members{out};
    members.text("policy", order.policy);
    if (order.include_protected) members.number("include_protected", true);
    add_sessions(members, order.sessions);
    out.push_back('}');
    return {};
}

Result<OperationOrder> read_order_json(const std::string& text) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(Error{object.error()}.within("body"));
    OperationOrder order;
    JsonReader reader{*object, JsonReader::Others::Refused};
    reader.named("type", order.type);
    reader.optional_text("firewall", order.endpoint.firewall);
    reader.optional_text("availability_zone", order.endpoint.availability_zone);
    operations::take_query(reader, order.query);
    bool all = false;
    reader.optional_flag("all", all);
    const bool flushes = take_flush(reader, order) || all;
    if (const auto read = reader.finish(); !read) return tl::unexpected(read.error());
    if (flushes && order.type == OperationType::Capture) {
        return invalid("type: a {} takes nothing that a {} does", to_string(OperationType::Capture),
                       to_string(OperationType::Flush));
    }
    auto query = checked_query(order, all);
    if (!query) return tl::unexpected(std::move(query.error()));
    order.query = std::move(*query);
    return order;
}

Result<PolicyOrder> read_policy_order_json(const std::string& text) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(Error{object.error()}.within("body"));
    PolicyOrder order;
    JsonReader reader{*object, JsonReader::Others::Refused};
    reader.parsed("policy", order.policy, parse_remote_policy);
    reader.optional_flag("include_protected", order.include_protected);
    take_sessions(reader, order.sessions);
    return reader.finish().map([&] { return std::move(order); });
}

Result<std::string> parse_remote_policy(std::string_view text) {
    if (text.find('/') != std::string_view::npos) {
        return invalid("\"{}\" is a path; the agent takes policies by their names alone", text);
    }
    return config::parse_policy_name(text);
}

}  // namespace headgate::gateway
