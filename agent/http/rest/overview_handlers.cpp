// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/overview_handlers.h"

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "gateway/gateway_json.h"
#include "http/content_negotiation.h"
#include "http/problem.h"
#include "http/rest/server_sent_event.h"
#include "operations/operation_fields.h"
#include "operations/operation_json.h"

namespace headgate::http {
namespace {

constexpr std::array<std::string_view, 2> kOverviewTypes{"application/json", kEventStream};

std::vector<Endpoint> endpoints_of(const config::Configuration& configuration) {
    std::vector<Endpoint> endpoints;
    for (const auto& firewall : configuration.firewalls)
        for (const auto& place : firewall.endpoints)
            endpoints.push_back({firewall.name, place.availability_zone, place.netns.value_or("")});
    return endpoints;
}

/// An endpoint that cannot be read has a member `fault`; the other endpoints are still reported.
void add_glance(JsonMembers& members, gateway::ManagedGateway& gateway, const Endpoint& endpoint) {
    write_members(members, endpoint);
    const EndpointName name{endpoint.firewall, endpoint.availability_zone, std::nullopt};
    const auto usage = gateway.usage(name);
    if (!usage) return members.text("fault", usage.error().message);
    gateway::add_usage(members, *usage);
    const auto counters = gateway.midstream_counters(name);
    if (!counters) return members.text("fault", counters.error().message);
    members.objects("counters", *counters, gateway::add_counter);
}

Result<std::string> overview_of(gateway::ManagedGateway& gateway) {
    OperationSelection running;
    running.status = OperationStatus::InProgress;
    ASSIGN_OR_RETURN(const auto operations, gateway.list(running));
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    members.objects("endpoints", endpoints_of(*gateway.configuration()),
                    [&](JsonMembers& inner, const Endpoint& endpoint) { add_glance(inner, gateway, endpoint); });
    members.key("operations");
    out.push_back('[');
    for (const auto& each : operations) {
        if (&each != operations.data()) out.push_back(',');
        operations::append_operation_json(out, each);
    }
    out.append(std::string_view{"]}"});
    return fmt::to_string(out);
}

/// Waits for `pace.look`. False if the client disconnected or the gateway began to shut down meanwhile.
bool goes_on(const gateway::ManagedGateway& gateway, const std::function<bool()>& is_over, const OverviewPace& pace) {
    const auto until = std::chrono::steady_clock::now() + pace.look;
    while (!is_over() && !gateway.is_ending()) {
        if (std::chrono::steady_clock::now() >= until) return true;
        std::this_thread::sleep_for(pace.slice);
    }
    return false;
}

}  // namespace

Result<void> send_overviews(gateway::ManagedGateway& gateway, const std::function<bool()>& is_over,
                            const OverviewPace& pace, const BodySink& send) {
    std::string told;
    auto told_at = std::chrono::steady_clock::now();
    do {
        ASSIGN_OR_RETURN(auto now, overview_of(gateway));
        const bool is_news = now != told;
        if (!is_news && std::chrono::steady_clock::now() - told_at < pace.keep_alive) continue;
        RETURN_IF_ERROR(send(is_news ? server_sent_event("overview", now) : std::string{": nothing has changed\n\n"}));
        told = std::move(now);
        told_at = std::chrono::steady_clock::now();
    } while (goes_on(gateway, is_over, pace));
    return {};
}

Response show_overview(gateway::ManagedGateway& gateway, const Request& request) {
    const auto type = preferred_type(request.header("Accept"), kOverviewTypes);
    if (!type) return problem(406, "Accept: there are application/json and text/event-stream");
    Response answer;
    if (*type == kEventStream) {
        answer.content_type = kEventStream;
        answer.stream = [&gateway, is_over = request.is_over](const BodySink& send) {
            return send_overviews(gateway, is_over, {}, send);
        };
    } else {
        const auto overview = overview_of(gateway);
        if (!overview) return problem_of(overview.error());
        answer = json_answer(200, *overview);
    }
    answer.headers.emplace_back("Cache-Control", "no-store");
    answer.headers.emplace_back("Vary", "Accept");
    return answer;
}

}  // namespace headgate::http
