// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/endpoint_handlers.h"

#include "gateway/gateway_json.h"
#include "gateway/request_json.h"
#include "http/problem.h"
#include "http/rest/parameters.h"

namespace headgate::http {
namespace {

Response policy_answer(const Result<gateway::EndpointPolicy>& policy) {
    if (!policy) return problem_of(policy.error());
    fmt::memory_buffer out;
    gateway::append_endpoint_policy_json(out, *policy);
    return json_answer(200, fmt::to_string(out));
}

}  // namespace

Response show_flow_table(const Request& request, gateway::FlowTables& tables) {
    const auto census = tables.statistics(endpoint_of(request));
    if (!census) return problem_of(census.error());
    fmt::memory_buffer out;
    gateway::append_table_json(out, *census);
    return json_answer(200, fmt::to_string(out));
}

Response show_policy(const Request& request, gateway::StreamExceptionPolicies& policies) {
    return policy_answer(policies.status(endpoint_of(request)));
}

Response apply_policy(const Request& request, gateway::StreamExceptionPolicies& policies) {
    auto wanted = gateway::read_policy_request_json(request.body);
    if (!wanted) return problem_of(wanted.error());
    wanted->endpoint = endpoint_of(request);
    wanted->caller = request.caller;
    return policy_answer(policies.apply(*wanted));
}

Response remove_policy(const Request& request, gateway::StreamExceptionPolicies& policies) {
    gateway::PolicyRequest wanted;
    wanted.endpoint = endpoint_of(request);
    wanted.caller = request.caller;
    return policy_answer(policies.remove(wanted));
}

}  // namespace headgate::http
