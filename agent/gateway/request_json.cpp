// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/request_json.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "headgate/judge.h"

#include "base/scalars.h"
#include "gateway/session_fields.h"
#include "operations/operation_fields.h"

namespace headgate::gateway {
namespace {

Result<void> check_not_one_off(const EndpointName& endpoint) {
    if (!endpoint.network_namespace) return {};
    return invalid("netns: an agent only knows the endpoints of its configuration");
}

template <typename Members, MaybeConst<OperationRequest> Request>
void list_scope(Members& members, Request& request) {
    members.required("type", request.type);
    members.optional("firewall", request.endpoint.firewall);
    members.optional("availability_zone", request.endpoint.availability_zone);
    list_members(members, request.query);
    members.optional("no_fast_scan", request.no_fast_scan);
    members.optional("ruleset_text", request.ruleset_text);
}

template <typename Members, MaybeConst<OperationRequest> Request>
void list_flush(Members& members, Request& request) {
    members.optional("from_capture", request.from_operation);
    members.optional("consent", request.consent);
    members.optional("maximum_flows", request.maximum_flows);
    members.optional("dry_run", request.dry_run);
    members.optional("include_protected", request.include_protected);
    members.optional("include_translated", request.include_translated);
    members.optional("protected", request.protected_filters, parse_flow_filter);
    list_sessions(members, request.sessions);
    members.optional("stream_exception_policy", request.stream_exception_policy, parse_remote_policy);
    members.optional("require_policy", request.require_policy);
}

template <typename Members, MaybeConst<PolicyRequest> Request>
void list_change(Members& members, Request& request) {
    members.required("policy", request.policy, parse_remote_policy);
    members.optional("include_protected", request.include_protected);
    list_sessions(members, request.sessions);
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
    return invalid("from_capture: names the flows; it takes no filter and no condition beside it");
}

/// Without consent nothing is searched: only an operation that was shown can be declined.
Result<void> check_consent(const OperationRequest& request) {
    if (request.consent == Consent::Given || !request.from_operation.empty()) return {};
    return invalid("consent: {} is said of the flows of a dry run, by its id in from_capture",
                   to_string(request.consent));
}

/// Flows have verdicts if another operation found them.
Result<void> check_verdicts(const OperationRequest& request) {
    if (request.include_translated && request.from_operation.empty()) {
        return invalid("include_translated: is said of the flows of a rematch, by its id in from_capture");
    }
    if (request.ruleset_text && !kind_of(request.type).has_verdicts) {
        return invalid("ruleset_text: a {} judges no flows", to_string(request.type));
    }
    if (const auto size = request.ruleset_text.value_or("").size(); size > kLongestCandidate) {
        return make_error(ErrorKind::TooLarge, "ruleset_text: {} bytes; {} at most", size, kLongestCandidate);
    }
    return {};
}

bool finds_all(const FlowQuery& query) {
    return std::ranges::any_of(query.filters, &FlowFilter::matches_everything);
}

/// `all`: whether the client asked for every flow explicitly.
Result<FlowQuery> checked_query(const OperationRequest& request, bool all) {
    if (!request.from_operation.empty()) return check_captured_query(request.query).map([&] { return request.query; });
    if (request.query.filters.empty()) {
        return invalid("filters: name the flows; an empty filter, {{}}, means every one");
    }
    if (kind_of(request.type).changes_flows && !all && finds_all(request.query)) {
        return invalid("filters: one leaves no flow out; to flush every flow, say so: \"all\": true");
    }
    auto query = validated(request.query);
    if (!query) return tl::unexpected(std::move(query.error()).within("filters"));
    return query;
}

Result<void> read_members(const JsonObject& object, OperationRequest& request) {
    bool all = false;
    JsonReader reader{object, JsonReader::Others::Refused};
    MemberReader members{reader};
    list_scope(members, request);
    members.optional("all", all);
    list_flush(members, request);
    RETURN_IF_ERROR(reader.finish()
                        .and_then([&] { return check_age(request.query); })
                        .and_then([&] { return check_consent(request); })
                        .and_then([&] { return check_verdicts(request); })
                        .and_then([&] { return check_number("protected", request.protected_filters); })
                        .and_then([&] { return check_sessions(request.sessions); }));
    MemberFinder flush{reader};
    list_flush(flush, request);
    if ((flush.found || all) && !kind_of(request.type).has_flush_options) {
        return invalid("type: a {} takes none of the options of a {}", to_string(request.type),
                       to_string(OperationType::Flush));
    }
    ASSIGN_OR_RETURN(auto query, checked_query(request, all));
    request.query = std::move(query);
    return {};
}

}  // namespace

Result<void> append_request_json(fmt::memory_buffer& out, const OperationRequest& request) {
    if (request.captured) return invalid("the flows of a file cannot be handed to the agent");
    RETURN_IF_ERROR(check_not_one_off(request.endpoint));
    out.push_back('{');
    JsonMembers json{out};
    MemberWriter members{json};
    list_scope(members, request);
    if (kind_of(request.type).has_flush_options) {
        members.optional("all", finds_all(request.query));
        list_flush(members, request);
    }
    out.push_back('}');
    return {};
}

Result<void> append_policy_request_json(fmt::memory_buffer& out, const PolicyRequest& request) {
    RETURN_IF_ERROR(check_not_one_off(request.endpoint));
    out.push_back('{');
    JsonMembers json{out};
    MemberWriter members{json};
    list_change(members, request);
    out.push_back('}');
    return {};
}

Result<void> read_request_json(const std::string& text, std::optional<OperationRequest>& request) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(Error{object.error()}.within("body"));
    ASSIGN_OR_RETURN(const auto type, object->text("type"));
    if (auto named = parse_name<OperationType>(type); !named) {
        return tl::unexpected(std::move(named.error()).within("type"));
    }
    return read_members(*object, request.emplace());
}

Result<OperationRequest> read_request_json(const std::string& text) {
    std::optional<OperationRequest> request;
    RETURN_IF_ERROR(read_request_json(text, request));
    return std::move(*request);
}

Result<void> read_policy_request_json(const std::string& text, PolicyRequest& request) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(Error{object.error()}.within("body"));
    JsonReader reader{*object, JsonReader::Others::Refused};
    MemberReader members{reader};
    list_change(members, request);
    return reader.finish().and_then([&] { return check_sessions(request.sessions); });
}

Result<std::string> parse_remote_policy(std::string_view text) {
    if (text.find('/') != std::string_view::npos) {
        return invalid("\"{}\" is a path; the agent takes policies by their names alone", text);
    }
    return parse_policy_name(text);
}

}  // namespace headgate::gateway
