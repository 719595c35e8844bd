// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway over HTTP: its firewalls, policies, configuration and health, the state of its endpoints, and the caller.
#include <algorithm>
#include <utility>

#include "flow/json_members.h"
#include "gateway/configuration_json.h"
#include "gateway/gateway_json.h"
#include "gateway/request_json.h"
#include "gateway/version.h"
#include "http/aws/firewall_names.h"
#include "http/rest/handlers.h"
#include "http/rest/parameters.h"
#include "operations/operation_fields.h"

namespace headgate::http {
namespace {

void add_endpoint(JsonMembers& members, const config::Configuration& configuration, const config::Firewall& firewall,
                  const config::FirewallEndpoint& endpoint) {
    members.text("availability_zone", endpoint.availability_zone);
    members.text("availability_zone_id", config::zone_id(endpoint));
    members.text("endpoint_id", aws::vpc_endpoint_id(firewall.name, endpoint.availability_zone));
    if (endpoint.netns) members.text("netns", *endpoint.netns);
    if (endpoint.conntrack_zone) members.number("conntrack_zone", *endpoint.conntrack_zone);
    members.text("stream_exception_policy", config::configured_policy(configuration, endpoint));
}

void add_finding(JsonMembers& members, const gateway::Finding& finding) {
    members.text("check", finding.check);
    if (!finding.endpoint.firewall.empty()) {
        members.text("firewall", finding.endpoint.firewall);
        members.text("availability_zone", finding.endpoint.availability_zone);
    }
    members.number("ok", finding.is_good());
    if (!finding.is_good()) members.text("message", finding.fault);
}

Response policy_answer(const gateway::EndpointPolicy& policy) {
    return json_answer(200, json_by(gateway::append_endpoint_policy_json, policy));
}

}  // namespace

Result<Response> list_firewalls(const Request& /*request*/, gateway::Inventory& inventory) {
    const auto configuration = inventory.configuration();
    const auto add_firewall = [&](JsonMembers& members, const config::Firewall& firewall) {
        members.text("name", firewall.name);
        members.text("arn", aws::firewall_arn(*configuration, firewall.name));
        members.objects("endpoints", firewall.endpoints, [&](JsonMembers& inner, const auto& endpoint) {
            add_endpoint(inner, *configuration, firewall, endpoint);
        });
    };
    const auto add_firewalls = [&](JsonMembers& members) {
        members.objects("firewalls", configuration->firewalls, add_firewall);
    };
    return json_answer(200, json_of(add_firewalls));
}

Result<Response> list_policies(const Request& /*request*/, gateway::Inventory& inventory) {
    fmt::memory_buffer out;
    out.append(std::string_view{"{\"policies\":"});
    append_json_lines(out, inventory.named_policies(),
                      [&](const auto& policy) { gateway::append_policy_json(out, policy); });
    out.push_back('}');
    return json_answer(200, fmt::to_string(out));
}

Result<Response> show_named_policy(const Request& request, gateway::Inventory& inventory) {
    const auto& name = request.path_members.at("name");
    const auto policies = inventory.named_policies();
    const auto found = std::ranges::find(policies, name, &StreamExceptionPolicy::name);
    if (found == policies.end()) return not_found("there is no stream exception policy {}", name);
    return json_answer(200, json_by(gateway::append_policy_json, *found, ""));
}

Result<Response> show_configuration(const Request& /*request*/, gateway::Inventory& inventory) {
    const auto append =
        inventory.is_whole() ? gateway::append_configuration_json : gateway::append_firewall_configuration_json;
    return json_answer(200, json_by(append, *inventory.configuration()));
}

Result<Response> show_flow_table(const Request& request, gateway::FlowTables& tables) {
    return tables.statistics(endpoint_of(request)).map([](const gateway::TableStatistics& statistics) {
        return json_answer(200, json_by(gateway::append_table_json, statistics));
    });
}

Result<Response> show_policy(const Request& request, gateway::StreamExceptionPolicies& policies) {
    return policies.status(endpoint_of(request)).map(policy_answer);
}

Result<Response> apply_policy(const Request& request, gateway::StreamExceptionPolicies& policies,
                              gateway::RefusedRequests& refused_requests) {
    gateway::PolicyRequest wanted;
    wanted.endpoint = endpoint_of(request);
    wanted.caller = request.caller;
    if (auto read = gateway::read_policy_request_json(request.body, wanted); !read) {
        return tl::unexpected(
            refused_requests.refuse_policy(operations::PolicyAction::Apply, wanted, std::move(read.error())));
    }
    return policies.apply(wanted).map(policy_answer);
}

Result<Response> remove_policy(const Request& request, gateway::StreamExceptionPolicies& policies) {
    gateway::PolicyRequest wanted;
    wanted.endpoint = endpoint_of(request);
    wanted.caller = request.caller;
    return policies.remove(wanted).map(policy_answer);
}

Response show_session(const Request& request) {
    const auto add_session = [&](JsonMembers& members) {
        members.object("caller", [&](JsonMembers& caller) { write_members(caller, request.caller); });
        members.text("role", to_string(request.permissions.role));
        if (request.permissions.firewalls) members.texts("firewalls", *request.permissions.firewalls);
        members.text("version", gateway::kVersion);
    };
    return json_answer(200, json_of(add_session));
}

Response show_health(const Request& /*request*/) {
    return json_answer(200, fmt::format(R"({{"status":"ok","version":"{}"}})", gateway::kVersion));
}

Result<Response> show_readiness(const Request& /*request*/, gateway::Monitoring& monitoring) {
    const auto findings = monitoring.readiness();
    const bool is_ready = std::ranges::all_of(findings, &gateway::Finding::is_good);
    const auto add_checks = [&](JsonMembers& members) {
        members.number("ready", is_ready);
        members.objects("checks", findings, add_finding);
    };
    return json_answer(is_ready ? 200 : 503, json_of(add_checks));
}

}  // namespace headgate::http
