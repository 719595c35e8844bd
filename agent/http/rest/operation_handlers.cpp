// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "flow/flow_json.h"
#include "flow/json_members.h"
#include "gateway/gateway_json.h"
#include "gateway/request_json.h"
#include "http/problem.h"
#include "http/rest/event_stream.h"
#include "http/rest/handlers.h"
#include "http/rest/parameters.h"
#include "operations/operation_json.h"

namespace headgate::http {
namespace {

constexpr std::chrono::milliseconds kLongestWait = std::chrono::seconds{30};

/// How soon a waiting request notices that its client has disconnected.
constexpr std::chrono::milliseconds kWaitSlice{200};

constexpr std::size_t kMostListed = 10'000;

Response operation_answer(int status, const FlowOperation& operation) {
    return json_answer(status, json_by(operations::append_operation_json, operation));
}

Result<OperationSelection> read_selection(const Request& request) {
    OperationSelection selection;
    RETURN_IF_ERROR(
        parse_parameter(request, "type", selection.type, parse_name<OperationType>)
            .and_then([&] { return parse_parameter(request, "status", selection.status, parse_name<OperationStatus>); })
            .and_then([&] { return parse_parameter(request, "since", selection.since, parse_rfc3339); }));
    selection.availability_zone = text_of(request, "availability_zone");
    selection.user = text_of(request, "user");
    if (const auto names = texts_of(request, "firewall"); !names.empty()) {
        selection.firewalls.emplace(names.begin(), names.end());
    }
    ASSIGN_OR_RETURN(const auto limit, number_of(request, "limit", selection.at_most, 1, kMostListed));
    selection.at_most = limit;
    selection.before_id = text_of(request, "cursor").value_or("");
    return selection;
}

/// Waits in slices, so that it returns early when the client disconnects or the agent stops.
Result<FlowOperation> wait_for_end(gateway::FlowOperations& operations, const Request& request,
                                   std::chrono::milliseconds at_most) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    for (auto left = at_most;;) {
        auto operation = operations.wait(id_of(request), std::min(left, kWaitSlice));
        left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        const bool goes_on = operation && operation->status == OperationStatus::InProgress;
        if (!goes_on || left <= std::chrono::milliseconds{0} || request.is_over()) return operation;
    }
}

}  // namespace

Result<Response> start_operation(const Request& request, gateway::FlowOperations& operations,
                                 gateway::RefusedRequests& refused_requests) {
    std::optional<gateway::OperationRequest> wanted;
    const auto read = gateway::read_request_json(request.body, wanted);
    if (!wanted) return tl::unexpected(read.error());
    wanted->caller = request.caller;
    wanted->own_flows = request.own_flows;
    const auto token = read.and_then([&] { return idempotency_token(request, "Idempotency-Key", "rest"); });
    if (!token) return tl::unexpected(refused_requests.refuse(*wanted, token.error()));
    wanted->token = *token;
    const auto started = operations.start(*wanted);
    // A missing resource is 400, not 404: it was named in the body, not in the path.
    if (!started && started.error().kind == ErrorKind::NotFound) return problem(400, started.error());
    return started.map([](const FlowOperation& operation) { return operation_answer(202, operation); });
}

Result<Response> validate_request(const Request& request, gateway::Inventory& inventory) {
    ASSIGN_OR_RETURN(const auto wanted, gateway::read_request_json(request.body));
    // A flush from a capture runs at the capture's endpoint.
    if (wanted.from_operation.empty()) {
        const auto configuration = inventory.configuration();
        const auto& [firewall, availability_zone, network_namespace] = wanted.endpoint;
        RETURN_IF_ERROR(config::find_endpoint(*configuration, firewall, availability_zone));
    }
    fmt::memory_buffer out;
    RETURN_IF_ERROR(gateway::append_request_json(out, wanted));
    return json_answer(200, fmt::to_string(out));
}

Result<Response> list_operations(const Request& request, gateway::FlowOperations& operations) {
    ASSIGN_OR_RETURN(const auto selection, read_selection(request));
    ASSIGN_OR_RETURN(const auto listed, operations.list(selection));
    // Whether more operations follow a full page is unknown; if none do, the next page is empty.
    const bool is_full = listed.size() == selection.at_most;
    const std::string_view next = is_full ? listed.back().id : std::string_view{};
    return json_answer(200, json_by(gateway::append_operations_json, listed, next));
}

Result<Response> show_operation(const Request& request, gateway::FlowOperations& operations) {
    ASSIGN_OR_RETURN(const auto wait, number_of(request, "wait_ms", 0, 0, kLongestWait.count()));
    const auto found = wait == 0 ? operations.find(id_of(request))
                                 : wait_for_end(operations, request, std::chrono::milliseconds{wait});
    return found.map([](const FlowOperation& operation) { return operation_answer(200, operation); });
}

Result<Response> cancel_operation(const Request& request, gateway::FlowOperations& operations) {
    RETURN_IF_ERROR(operations.cancel(id_of(request)));
    return operations.find(id_of(request)).map([](const FlowOperation& operation) {
        return operation_answer(202, operation);
    });
}

Result<void> send_events(gateway::FlowOperations& operations, const std::string& id,
                         const std::function<bool()>& is_over, const EventPace& pace, const BodySink& send) {
    EventStream events{pace.keep_alive, send};
    for (auto operation = operations.find(id);; operation = operations.wait(id, pace.look)) {
        if (!operation) return tl::unexpected(operation.error());
        auto now = json_by(operations::append_operation_json, *operation);
        if (operation->status != OperationStatus::InProgress) return events.event("end", now);
        if (is_over()) return {};
        RETURN_IF_ERROR(events.state("progress", std::move(now), "still in progress"));
    }
}

Result<Response> follow_operation(const Request& request, gateway::FlowOperations& operations) {
    ASSIGN_OR_RETURN(const auto operation, operations.find(id_of(request)));
    Response answer;
    answer.content_type = kEventStream;
    answer.headers.emplace_back("Cache-Control", "no-store");
    answer.stream = [&operations, id = operation.id, is_over = request.is_over](const BodySink& send) {
        return send_events(operations, id, is_over, {}, send);
    };
    return answer;
}

}  // namespace headgate::http
