#include "http/operation_handlers.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include "flow/flow_json.h"
#include "flow/text.h"
#include "gateway/gateway_json.h"
#include "gateway/order_json.h"
#include "http/problem.h"
#include "operations/operation_json.h"
#include "operations/operation_reader.h"

namespace headgate::http {
namespace {

constexpr std::chrono::milliseconds kLongestWait = std::chrono::seconds{30};

/// How soon a waiting request learns that nobody waits for it any more.
constexpr std::chrono::milliseconds kWaitSlice{200};

constexpr std::size_t kLongestToken = 255;
constexpr std::size_t kMostListed = 10'000;

Answer operation_answer(int status, const FlowOperation& operation) {
    fmt::memory_buffer out;
    operations::append_operation_json(out, operation);
    return json_answer(status, fmt::to_string(out));
}

Result<std::string> read_token(const Request& request) {
    const auto token = request.header("Idempotency-Key");
    const auto printable = [](char c) { return c > ' ' && c < 0x7F; };
    if (token.size() <= kLongestToken && std::ranges::all_of(token, printable)) return std::string{token};
    return invalid("Idempotency-Key: {} printable characters at most, without spaces", kLongestToken);
}

/// A number in the query; what it is without one.
Result<std::uint64_t> number_of(const Request& request, const std::string& name, std::uint64_t otherwise,
                                std::uint64_t least, std::uint64_t most) {
    const auto found = request.query.find(name);
    if (found == request.query.end()) return otherwise;
    const auto number = parse_unsigned<std::uint64_t>(found->second);
    if (number && *number >= least && *number <= most) return *number;
    return invalid("{}: \"{}\" is not a number from {} to {}", name, found->second, least, most);
}

template <typename T>
Result<void> take_parameter(const Request& request, const std::string& name, std::optional<T>& slot,
                            Result<T> (*parse)(std::string_view)) {
    const auto found = request.query.find(name);
    if (found == request.query.end()) return {};
    auto value = parse(found->second);
    if (!value) return tl::unexpected(std::move(value.error()).within(name));
    slot = std::move(*value);
    return {};
}

Result<std::string> as_it_is(std::string_view text) {
    return std::string{text};
}

Result<OperationSelection> read_selection(const Request& request) {
    OperationSelection selection;
    auto taken =
        take_parameter(request, "type", selection.type, operations::parse_type)
            .and_then([&] { return take_parameter(request, "status", selection.status, operations::parse_status); })
            .and_then([&] { return take_parameter(request, "firewall", selection.firewall, as_it_is); })
            .and_then(
                [&] { return take_parameter(request, "availability_zone", selection.availability_zone, as_it_is); });
    if (!taken) return tl::unexpected(std::move(taken.error()));
    const auto limit = number_of(request, "limit", selection.at_most, 1, kMostListed);
    if (!limit) return tl::unexpected(limit.error());
    selection.at_most = *limit;
    if (const auto before = request.query.find("before"); before != request.query.end()) {
        selection.before_id = before->second;
    }
    return selection;
}

const std::string& id_of(const Request& request) {
    return request.path_members.at("id");
}

/// Waits in slices, so that a client that goes away, or the end of the agent, is not waited out.
Result<FlowOperation> wait_for_end(gateway::Gateway& gateway, const Request& request,
                                   std::chrono::milliseconds at_most) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    for (auto left = at_most;;) {
        auto operation = gateway.wait(id_of(request), std::min(left, kWaitSlice));
        left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        const bool goes_on = operation && operation->status == OperationStatus::InProgress;
        if (!goes_on || left <= std::chrono::milliseconds{0} || request.is_over()) return operation;
    }
}

}  // namespace

Answer start_operation(gateway::Gateway& gateway, const Request& request) {
    auto order = gateway::read_order_json(request.body);
    if (!order) return problem_of(order.error());
    auto token = read_token(request);
    if (!token) return problem_of(token.error());
    order->token = std::move(*token);
    order->caller = request.caller;
    const auto started = gateway.start(*order);
    if (started) return operation_answer(202, *started);
    // What is not there is then not what the path names, but what the body does.
    const auto& error = started.error();
    return error.kind == ErrorKind::Invalid ? problem(400, error.message, error.number) : problem_of(error);
}

Answer list_operations(gateway::Gateway& gateway, const Request& request) {
    const auto selection = read_selection(request);
    if (!selection) return problem_of(selection.error());
    const auto listed = gateway.list(*selection);
    if (!listed) return problem_of(listed.error());
    fmt::memory_buffer out;
    gateway::append_operations_json(out, *listed);
    return json_answer(200, fmt::to_string(out));
}

Answer show_operation(gateway::Gateway& gateway, const Request& request) {
    const auto wait = number_of(request, "wait_ms", 0, 0, kLongestWait.count());
    if (!wait) return problem_of(wait.error());
    const auto found =
        *wait == 0 ? gateway.find(id_of(request)) : wait_for_end(gateway, request, std::chrono::milliseconds{*wait});
    return found ? operation_answer(200, *found) : problem_of(found.error());
}

Answer cancel_operation(gateway::Gateway& gateway, const Request& request) {
    const auto cancelled = gateway.cancel(id_of(request));
    if (!cancelled) return problem_of(cancelled.error());
    const auto found = gateway.find(id_of(request));
    return found ? operation_answer(202, *found) : problem_of(found.error());
}

Answer stream_flows(gateway::Gateway& gateway, const Request& request) {
    const auto operation = gateway.find(id_of(request));
    if (!operation) return problem_of(operation.error());
    const auto first = number_of(request, "first", 0, 0, UINT64_MAX);
    if (!first) return problem_of(first.error());
    if (operation->type == OperationType::Flush && operation->status == OperationStatus::InProgress) {
        return problem(409,
                       fmt::format("operation {} is in progress: its flows are told when it has ended", operation->id));
    }
    Answer answer;
    answer.content_type = "application/x-ndjson";
    answer.stream = [&gateway, id = operation->id, first = *first,
                     now = operation->requested_at](const BodySink& send) {
        fmt::memory_buffer lines;
        return gateway.for_each_flow(id, first, [&](std::span<const StoredFlow> flows) {
            lines.clear();
            for (const auto& each : flows) {
                append_flow_json(lines, each.flow, now, {each.outcome, each.error});
                lines.push_back('\n');
            }
            return send({lines.data(), lines.size()});
        });
    };
    return answer;
}

}  // namespace headgate::http
