#include "http/endpoint_handlers.h"

#include "gateway/gateway_json.h"
#include "gateway/order_json.h"
#include "http/problem.h"

namespace headgate::http {
namespace {

gateway::EndpointName endpoint_of(const Request& request) {
    const auto value = [&](const std::string& name) -> std::optional<std::string> {
        const auto found = request.query.find(name);
        return found == request.query.end() ? std::nullopt : std::optional{found->second};
    };
    return {value("firewall"), value("availability_zone"), std::nullopt};
}

Answer policy_answer(const Result<gateway::EndpointPolicy>& policy) {
    if (!policy) return problem_of(policy.error());
    fmt::memory_buffer out;
    gateway::append_endpoint_policy_json(out, *policy);
    return json_answer(200, fmt::to_string(out));
}

}  // namespace

Answer show_flow_table(gateway::Gateway& gateway, const Request& request) {
    const auto census = gateway.count_flows(endpoint_of(request));
    if (!census) return problem_of(census.error());
    fmt::memory_buffer out;
    gateway::append_census_json(out, *census);
    return json_answer(200, fmt::to_string(out));
}

Answer show_policy(gateway::Gateway& gateway, const Request& request) {
    return policy_answer(gateway.policy_status(endpoint_of(request)));
}

Answer apply_policy(gateway::Gateway& gateway, const Request& request) {
    auto order = gateway::read_policy_order_json(request.body);
    if (!order) return problem_of(order.error());
    order->endpoint = endpoint_of(request);
    order->caller = request.caller;
    return policy_answer(gateway.apply_policy(*order));
}

Answer remove_policy(gateway::Gateway& gateway, const Request& request) {
    gateway::PolicyOrder order;
    order.endpoint = endpoint_of(request);
    order.caller = request.caller;
    return policy_answer(gateway.remove_policy(order));
}

}  // namespace headgate::http
