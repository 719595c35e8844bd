// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/order_json.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/resource_names.h"
#include "operations/operation_fields.h"

namespace headgate::gateway {
namespace {

/// More than is plausible by hand; each costs one comparison per flow.
constexpr std::size_t kMaxFilterTexts = 64;

Result<void> tellable(const EndpointName& endpoint) {
    if (!endpoint.network_namespace) return {};
    return invalid("netns: a one-off run is not the agent's business");
}

template <typename Members, MaybeConst<OperationOrder> Order>
void list_scope(Members& members, Order& order) {
    members.required("type", order.type);
    members.optional("firewall", order.endpoint.firewall);
    members.optional("availability_zone", order.endpoint.availability_zone);
    list_members(members, order.query);
}

template <typename Members, MaybeConst<sessions::CallerSessions> Sessions>
void list_sessions(Members& members, Sessions& sessions) {
    members.optional("own_sessions", sessions.own, parse_flow_filter);
    members.optional("ssh_sessions", sessions.found, parse_flow_filter);
}

template <typename Members, MaybeConst<OperationOrder> Order>
void list_flush(Members& members, Order& order) {
    members.optional("from_capture", order.from_operation);
    members.optional("maximum_flows", order.maximum_flows);
    members.optional("dry_run", order.dry_run);
    members.optional("include_protected", order.include_protected);
    members.optional("protected", order.spared, parse_flow_filter);
    list_sessions(members, order.sessions);
    members.optional("stream_exception_policy", order.stream_exception_policy, parse_remote_policy);
    members.optional("require_policy", order.require_policy);
}

template <typename Members, MaybeConst<PolicyOrder> Order>
void list_change(Members& members, Order& order) {
    members.required("policy", order.policy, parse_remote_policy);
    members.optional("include_protected", order.include_protected);
    list_sessions(members, order.sessions);
}

/// Finds out whether a request names a member of list_flush().
struct MemberFinder {
    JsonReader& reader;
    bool found = false;

    template <typename... Others>
    void optional(MemberName name, const Others&... /*value, parse*/) {
        found = reader.has(name.in_public) || found;
    }
};

Result<void> check_number(std::string_view name, const std::vector<FlowFilter>& filters) {
    if (filters.size() <= kMaxFilterTexts) return {};
    return invalid("{}: {} filters; {} at most", name, filters.size(), kMaxFilterTexts);
}

Result<void> check_sessions(const sessions::CallerSessions& sessions) {
    return check_number("own_sessions", sessions.own).and_then([&] {
        return check_number("ssh_sessions", sessions.found);
    });
}

/// An age must fit into 32 bits.
Result<void> check_age(const FlowQuery& query) {
    const auto seconds = query.minimum_age.count();
    if (0 <= seconds && seconds <= UINT32_MAX) return {};
    return invalid("minimum_age_seconds: out of range");
}

/// Captured flows are flushed as they were captured: a query beside them would have no effect.
Result<void> check_captured_query(const FlowQuery& query) {
    FlowQuery nothing;
    nothing.zone = query.zone;  // is compared with that of each flow
    if (query == nothing) return {};
    return invalid("from_capture: takes the flows as they were captured, so there is nothing else to say of them");
}

bool finds_all(const FlowQuery& query) {
    return std::ranges::any_of(query.filters, &FlowFilter::matches_everything);
}

/// `all`: whether the client asked for every flow explicitly.
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
    RETURN_IF_ERROR(tellable(order.endpoint));
    out.push_back('{');
    JsonMembers json{out};
    MemberWriter members{json};
    list_scope(members, order);
    if (order.type == OperationType::Flush) {
        members.optional("all", finds_all(order.query));
        list_flush(members, order);
    }
    out.push_back('}');
    return {};
}

Result<void> append_policy_order_json(fmt::memory_buffer& out, const PolicyOrder& order) {
    RETURN_IF_ERROR(tellable(order.endpoint));
    out.push_back('{');
    JsonMembers json{out};
    MemberWriter members{json};
    list_change(members, order);
    out.push_back('}');
    return {};
}

Result<OperationOrder> read_order_json(const std::string& text) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(Error{object.error()}.within("body"));
    OperationOrder order;
    bool all = false;
    JsonReader reader{*object, JsonReader::Others::Refused};
    MemberReader members{reader};
    list_scope(members, order);
    members.optional("all", all);
    list_flush(members, order);
    RETURN_IF_ERROR(reader.finish()
                        .and_then([&] { return check_age(order.query); })
                        .and_then([&] { return check_number("protected", order.spared); })
                        .and_then([&] { return check_sessions(order.sessions); }));
    MemberFinder flush{reader};
    list_flush(flush, order);
    if ((flush.found || all) && order.type == OperationType::Capture) {
        return invalid("type: a {} takes nothing that a {} does", to_string(OperationType::Capture),
                       to_string(OperationType::Flush));
    }
    ASSIGN_OR_RETURN(auto query, checked_query(order, all));
    order.query = std::move(query);
    return order;
}

Result<PolicyOrder> read_policy_order_json(const std::string& text) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(Error{object.error()}.within("body"));
    PolicyOrder order;
    JsonReader reader{*object, JsonReader::Others::Refused};
    MemberReader members{reader};
    list_change(members, order);
    return reader.finish().and_then([&] { return check_sessions(order.sessions); }).map([&] {
        return std::move(order);
    });
}

Result<std::string> parse_remote_policy(std::string_view text) {
    if (text.find('/') != std::string_view::npos) {
        return invalid("\"{}\" is a path; the agent takes policies by their names alone", text);
    }
    return parse_policy_name(text);
}

}  // namespace headgate::gateway
