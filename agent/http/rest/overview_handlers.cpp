// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>
#include <string>
#include <thread>
#include <vector>

#include "gateway/gateway_json.h"
#include "http/problem.h"
#include "http/rest/event_stream.h"
#include "http/rest/handlers.h"
#include "operations/operation_fields.h"
#include "operations/operation_json.h"

namespace headgate::http {
namespace {

constexpr std::array<std::string_view, 2> kOverviewTypes{"application/json", kEventStream};

/// An endpoint that cannot be read has a member `fault`; the other endpoints are still reported.
void add_glance(JsonMembers& members, gateway::Monitoring& monitoring, const config::EndpointChoice& each) {
    const EndpointName name{each.firewall->name, each.endpoint->availability_zone, std::nullopt};
    write_members(members, Endpoint{*name.firewall, *name.availability_zone, each.endpoint->netns.value_or("")});
    const auto usage = monitoring.usage(name);
    if (!usage) return members.text("fault", usage.error().message);
    gateway::add_usage(members, *usage);
    const auto counters = monitoring.midstream_counters(name);
    if (!counters) return members.text("fault", counters.error().message);
    members.objects("counters", *counters, gateway::add_counter);
}

Result<std::string> overview_of(gateway::FlowOperations& operations, gateway::Monitoring& monitoring,
                                gateway::Inventory& inventory) {
    OperationSelection running;
    running.status = OperationStatus::InProgress;
    ASSIGN_OR_RETURN(const auto listed, operations.list(running));
    const auto configuration = inventory.configuration();
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    members.objects("endpoints", config::endpoints_of(*configuration),
                    [&](JsonMembers& inner, const auto& each) { add_glance(inner, monitoring, each); });
    members.key("operations");
    out.push_back('[');
    for (const auto& each : listed) {
        if (&each != listed.data()) out.push_back(',');
        operations::append_operation_json(out, each);
    }
    out.append(std::string_view{"]}"});
    return fmt::to_string(out);
}

/// Waits for `pace.look`. False if the client disconnected or the gateway began to shut down meanwhile.
bool goes_on(const gateway::Monitoring& monitoring, const std::function<bool()>& is_over, const OverviewPace& pace) {
    const auto until = std::chrono::steady_clock::now() + pace.look;
    while (!is_over() && !monitoring.is_ending()) {
        if (std::chrono::steady_clock::now() >= until) return true;
        std::this_thread::sleep_for(pace.slice);
    }
    return false;
}

}  // namespace

Result<void> send_overviews(gateway::FlowOperations& operations, gateway::Monitoring& monitoring,
                            gateway::Inventory& inventory, const std::function<bool()>& is_over,
                            const OverviewPace& pace, const BodySink& send) {
    EventStream events{pace.keep_alive, send};
    do {
        ASSIGN_OR_RETURN(auto now, overview_of(operations, monitoring, inventory));
        RETURN_IF_ERROR(events.state("overview", std::move(now), "nothing has changed"));
    } while (goes_on(monitoring, is_over, pace));
    return {};
}

Result<Response> show_overview(const Request& request, gateway::FlowOperations& operations,
                               gateway::Monitoring& monitoring, gateway::Inventory& inventory) {
    const auto type = preferred_type(request.header("Accept"), kOverviewTypes);
    if (!type) return problem(406, "Accept: there are application/json and text/event-stream");
    Response answer;
    if (*type == kEventStream) {
        answer.content_type = kEventStream;
        answer.stream = [&operations, &monitoring, &inventory, is_over = request.is_over](const BodySink& send) {
            return send_overviews(operations, monitoring, inventory, is_over, {}, send);
        };
    } else {
        ASSIGN_OR_RETURN(auto overview, overview_of(operations, monitoring, inventory));
        answer = json_answer(200, std::move(overview));
    }
    answer.headers.emplace_back("Cache-Control", "no-store");
    answer.headers.emplace_back("Vary", "Accept");
    return answer;
}

}  // namespace headgate::http
