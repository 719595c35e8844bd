// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/operation_handlers.h"

#include <algorithm>

#include "base/text.h"
#include "flow/flow_json.h"
#include "gateway/gateway_json.h"
#include "gateway/request_json.h"
#include "http/problem.h"
#include "http/rest/parameters.h"
#include "operations/operation_json.h"

namespace headgate::http {
namespace {

constexpr std::chrono::milliseconds kLongestWait = std::chrono::seconds{30};

/// How soon a waiting request notices that its client has disconnected.
constexpr std::chrono::milliseconds kWaitSlice{200};

constexpr std::size_t kLongestToken = 255;
constexpr std::size_t kMostListed = 10'000;

Response operation_answer(int status, const FlowOperation& operation) {
    fmt::memory_buffer out;
    operations::append_operation_json(out, operation);
    return json_answer(status, fmt::to_string(out));
}

/// The token contains the caller, so that two callers never share one.
Result<std::string> read_token(const Request& request) {
    const auto token = request.header("Idempotency-Key");
    const auto printable = [](char c) { return c > ' ' && c < 0x7F; };
    if (token.empty()) return std::string{};
    if (token.size() <= kLongestToken && std::ranges::all_of(token, printable)) {
        return compound_key({"rest", request.caller.face, request.caller.user, token});
    }
    return invalid("Idempotency-Key: {} printable characters at most, without spaces", kLongestToken);
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

Response start_operation(const Request& request, gateway::FlowOperations& operations) {
    auto wanted = gateway::read_request_json(request.body);
    if (!wanted) return problem_of(wanted.error());
    auto token = read_token(request);
    if (!token) return problem_of(token.error());
    wanted->token = std::move(*token);
    wanted->caller = request.caller;
    wanted->own_flows = request.own_flows;
    const auto started = operations.start(*wanted);
    if (started) return operation_answer(202, *started);
    // A missing resource is 400, not 404: it was named in the body, not in the path.
    const auto& error = started.error();
    return error.kind == ErrorKind::NotFound ? problem(400, error) : problem_of(error);
}

Response list_operations(const Request& request, gateway::FlowOperations& operations) {
    const auto selection = read_selection(request);
    if (!selection) return problem_of(selection.error());
    const auto listed = operations.list(*selection);
    if (!listed) return problem_of(listed.error());
    // Whether more operations follow a full page is unknown; if none do, the next page is empty.
    const bool is_full = listed->size() == selection->at_most;
    fmt::memory_buffer out;
    gateway::append_operations_json(out, *listed, is_full ? listed->back().id : std::string_view{});
    return json_answer(200, fmt::to_string(out));
}

Response show_operation(const Request& request, gateway::FlowOperations& operations) {
    const auto wait = number_of(request, "wait_ms", 0, 0, kLongestWait.count());
    if (!wait) return problem_of(wait.error());
    const auto found = *wait == 0 ? operations.find(id_of(request))
                                  : wait_for_end(operations, request, std::chrono::milliseconds{*wait});
    return found ? operation_answer(200, *found) : problem_of(found.error());
}

Response cancel_operation(const Request& request, gateway::FlowOperations& operations) {
    const auto cancelled = operations.cancel(id_of(request));
    if (!cancelled) return problem_of(cancelled.error());
    const auto found = operations.find(id_of(request));
    return found ? operation_answer(202, *found) : problem_of(found.error());
}

}  // namespace headgate::http
