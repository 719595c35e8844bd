// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/inventory_handlers.h"

#include <algorithm>
#include <utility>

#include "flow/json_members.h"
#include "gateway/configuration_json.h"
#include "gateway/gateway_json.h"
#include "http/aws/firewall_names.h"
#include "http/problem.h"

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

}  // namespace

Response list_firewalls(const Request& /*request*/, gateway::Inventory& inventory) {
    const auto configuration = inventory.configuration();
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    members.objects("firewalls", configuration->firewalls, [&](JsonMembers& inner, const config::Firewall& firewall) {
        inner.text("name", firewall.name);
        inner.text("arn", aws::firewall_arn(*configuration, firewall.name));
        inner.objects("endpoints", firewall.endpoints, [&](JsonMembers& innermost, const auto& endpoint) {
            add_endpoint(innermost, *configuration, firewall, endpoint);
        });
    });
    out.push_back('}');
    return json_answer(200, fmt::to_string(out));
}

Response list_policies(const Request& /*request*/, gateway::Inventory& inventory) {
    fmt::memory_buffer out;
    out.append(std::string_view{"{\"policies\":["});
    std::string_view separator = "\n";
    for (const auto& policy : inventory.named_policies()) {
        out.append(std::exchange(separator, ",\n"));
        gateway::append_policy_json(out, policy);
    }
    out.append(std::string_view{"]}"});
    return json_answer(200, fmt::to_string(out));
}

Response show_named_policy(const Request& request, gateway::Inventory& inventory) {
    const auto& name = request.path_members.at("name");
    const auto policies = inventory.named_policies();
    const auto found = std::ranges::find(policies, name, &StreamExceptionPolicy::name);
    if (found == policies.end()) return problem(404, fmt::format("there is no stream exception policy {}", name));
    fmt::memory_buffer out;
    gateway::append_policy_json(out, *found);
    return json_answer(200, fmt::to_string(out));
}

Response show_configuration(const Request& /*request*/, gateway::Inventory& inventory) {
    fmt::memory_buffer out;
    if (inventory.is_whole()) {
        gateway::append_configuration_json(out, *inventory.configuration());
    } else {
        gateway::append_firewall_configuration_json(out, *inventory.configuration());
    }
    return json_answer(200, fmt::to_string(out));
}

}  // namespace headgate::http
