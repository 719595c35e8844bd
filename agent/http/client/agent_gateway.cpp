// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/client/agent_gateway.h"

#include <Poco/UUID.h>
#include <Poco/UUIDGenerator.h>

#include <algorithm>

#include "flow/flow_json.h"
#include "flow/flow_reader.h"
#include "flowlog/recent_flow_buffer.h"
#include "gateway/gateway_json.h"
#include "gateway/quarantine_json.h"
#include "gateway/request_json.h"
#include "http/client/exchange.h"
#include "http/flow_blocks.h"

namespace headgate::http {
namespace {

using gateway::EndpointPolicy;
using gateway::EndpointQuarantine;
using gateway::OperationRequest;
using gateway::PolicyRequest;
using gateway::QuarantineRequest;
using gateway::TableStatistics;
using operations::QuarantineStep;

constexpr std::chrono::milliseconds kLongestWait = std::chrono::seconds{30};  ///< that the agent accepts
constexpr std::string_view kOperations = "/v1/operations";
constexpr std::string_view kPolicy = "/v1/stream-exception-policy";
constexpr std::string_view kQuarantine = "/v1/quarantine";

/// Idempotency key: a start may be sent again after its response was lost (exchange.h), and must not start twice.
std::string new_token() {
    return Poco::UUIDGenerator{}.createRandom().toString();
}

/// Root's identity before sudo and ssh, which the agent cannot find out.
void add_caller(Question& question, const Caller& caller) {
    if (!caller.sudo_user.empty()) question.headers.emplace_back("X-Headgate-Sudo-User", caller.sudo_user);
    if (!caller.source_address.empty()) {
        question.headers.emplace_back("X-Headgate-Source-Address", caller.source_address);
    }
}

Result<std::string> target_of(std::string_view path, const EndpointName& endpoint) {
    if (endpoint.network_namespace) return invalid("netns: an agent only knows the endpoints of its configuration");
    Target target{path};
    if (endpoint.firewall) target.parameter("firewall", *endpoint.firewall);
    if (endpoint.availability_zone) target.parameter("availability_zone", *endpoint.availability_zone);
    return target.text();
}

Result<EndpointPolicy> ask_for_policy(const std::filesystem::path& socket, const PolicyRequest& request,
                                      std::string method, std::string body) {
    ASSIGN_OR_RETURN(auto target, target_of(kPolicy, request.endpoint));
    Question question{std::move(method), std::move(target), std::move(body), {}};
    add_caller(question, request.caller);
    return ask(socket, question).and_then(gateway::read_endpoint_policy_json);
}

Result<EndpointQuarantine> change_quarantine(const std::filesystem::path& socket, std::string_view path,
                                             QuarantineStep step, const QuarantineRequest& request) {
    ASSIGN_OR_RETURN(auto target, target_of(path, request.endpoint));
    Question question{"POST", std::move(target), gateway::quarantine_request_json(step, request), {}};
    add_caller(question, request.caller);
    return ask(socket, question).and_then(gateway::read_endpoint_quarantine_json);
}

Target operation_target(std::string_view id) {
    return Target{kOperations}.part(id);
}

Question lines_of(std::string target) {
    return {"GET", std::move(target), {}, {{"Accept", "application/x-ndjson"}}};
}

std::string flow_log_target(const gateway::EndedFlowQuery& query) {
    Target target{"/v1/flow-log"};
    for (const auto reason : query.reasons)
        target.parameter("reason", to_string(reason));
    const bool every_flow = std::ranges::any_of(query.filters, &FlowFilter::matches_everything);
    for (const auto& filter : query.filters)
        if (!every_flow) target.parameter("filter", to_string(filter));
    if (query.firewalls) {
        for (const auto& firewall : *query.firewalls)
            target.parameter("firewall", firewall);
    }
    if (query.since) target.parameter("since", to_rfc3339(*query.since));
    if (query.until) target.parameter("until", to_rfc3339(*query.until));
    if (query.user) target.parameter("user", *query.user);
    if (query.operation_id) target.parameter("operation", *query.operation_id);
    target.parameter("latest", fmt::format("{}", std::min(query.latest, flowlog::RecentFlowBuffer::kKept)));
    target.parameter("follow", query.follow ? "true" : "false");
    return target.text();
}

Result<void> ask_for_blocks(const std::filesystem::path& socket, const Target& target, const PackedFlowsSink& sink) {
    FlowBlocks blocks{sink};
    const Question question{"GET", target.text(), {}, {{"Accept", std::string{kFlowBlocks}}}};
    return ask_for_pieces(socket, question,
                          [&](std::string_view piece) { return piece.empty() ? blocks.finish() : blocks.feed(piece); });
}

}  // namespace

Result<std::unique_ptr<AgentGateway>> AgentGateway::connect(std::filesystem::path socket) {
    RETURN_IF_ERROR(reach(socket));
    return std::unique_ptr<AgentGateway>{new AgentGateway{std::move(socket)}};
}

Result<FlowOperation> AgentGateway::start(const OperationRequest& request) {
    fmt::memory_buffer body;
    RETURN_IF_ERROR(gateway::append_request_json(body, request));
    Question question{"POST", std::string{kOperations}, fmt::to_string(body), {}};
    question.headers.emplace_back("Idempotency-Key", request.token.empty() ? new_token() : request.token);
    add_caller(question, request.caller);
    return ask(socket_, question).and_then(gateway::read_operation_json);
}

Result<FlowOperation> AgentGateway::find(std::string_view id) {
    return ask(socket_, {"GET", operation_target(id).text(), {}, {}}).and_then(gateway::read_operation_json);
}

Result<FlowOperation> AgentGateway::wait(std::string_view id, std::chrono::milliseconds at_most) {
    for (const auto until = std::chrono::steady_clock::now() + at_most;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        const auto slice = std::clamp(left, std::chrono::milliseconds{0}, kLongestWait);
        const auto target = operation_target(id).parameter("wait_ms", fmt::format("{}", slice.count())).text();
        auto operation = ask(socket_, {"GET", target, {}, {}}).and_then(gateway::read_operation_json);
        const bool ended = !operation || operation->status != OperationStatus::InProgress;
        if (ended || left <= kLongestWait) return operation;
    }
}

Result<void> AgentGateway::cancel(std::string_view id) {
    return ask(socket_, {"POST", operation_target(id).part("cancel").text(), {}, {}}).map([](const auto&) {});
}

Result<std::vector<FlowOperation>> AgentGateway::list(const OperationSelection& selection) {
    Target target{kOperations};
    if (selection.type) target.parameter("type", to_string(*selection.type));
    if (selection.status) target.parameter("status", to_string(*selection.status));
    if (selection.firewalls && selection.firewalls->empty()) return std::vector<FlowOperation>{};
    if (selection.firewalls) {
        for (const auto& firewall : *selection.firewalls)
            target.parameter("firewall", firewall);
    }
    if (selection.availability_zone) target.parameter("availability_zone", *selection.availability_zone);
    if (selection.user) target.parameter("user", *selection.user);
    if (selection.since) target.parameter("since", to_rfc3339(*selection.since));
    if (!selection.before_id.empty()) target.parameter("cursor", selection.before_id);
    target.parameter("limit", fmt::format("{}", selection.at_most));
    return ask(socket_, {"GET", target.text(), {}, {}}).and_then(gateway::read_operations_json);
}

Result<void> AgentGateway::for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) {
    std::uint64_t next = first;
    Result<void> passed_on;
    const PackedFlowsSink check_and_pass_on = [&](const PackedFlows& block) -> Result<void> {
        if (block.first > next || block.end() <= next) {
            return failed("the agent's answer has flows {} to {} in place of {}", block.first, block.end(), next);
        }
        next = block.end();
        return passed_on = sink(block);
    };
    for (;;) {
        const auto begin = next;
        const auto target = operation_target(id).part("results").parameter("cursor", fmt::format("{}", next));
        auto read = ask_for_blocks(socket_, target, check_and_pass_on);
        // The agent cuts off a client that stops reading for long, as behind a pager: continue at the same row.
        const bool cut = !read && passed_on && read.error().kind == ErrorKind::Disconnected;
        if (!cut || next == begin) return read;
    }
}

Result<TableStatistics> AgentGateway::statistics(const EndpointName& endpoint) {
    ASSIGN_OR_RETURN(auto target, target_of("/v1/flow-table", endpoint));
    return ask(socket_, {"GET", std::move(target), {}, {}}).and_then(gateway::read_table_json);
}

Result<EndpointPolicy> AgentGateway::status(const EndpointName& endpoint) {
    PolicyRequest request;
    request.endpoint = endpoint;
    return ask_for_policy(socket_, request, "GET", {});
}

Result<EndpointPolicy> AgentGateway::apply(const PolicyRequest& request) {
    fmt::memory_buffer body;
    RETURN_IF_ERROR(gateway::append_policy_request_json(body, request));
    return ask_for_policy(socket_, request, "PUT", fmt::to_string(body));
}

Result<void> AgentGateway::for_each_ended(const gateway::EndedFlowQuery& query, const gateway::RecordSink& sink) {
    const bool none_is_meant = query.firewalls && query.firewalls->empty();
    if (none_is_meant) return {};
    auto question = lines_of(flow_log_target(query));
    question.is_over = query.is_over;
    return ask_for_lines(socket_, question, [&](const std::string& record) { return sink(record); });
}

Result<EndpointPolicy> AgentGateway::remove(const PolicyRequest& request) {
    return ask_for_policy(socket_, request, "DELETE", {});
}

Result<EndpointQuarantine> AgentGateway::quarantined(const EndpointName& endpoint) {
    ASSIGN_OR_RETURN(auto target, target_of(kQuarantine, endpoint));
    return ask(socket_, {"GET", std::move(target), {}, {}}).and_then(gateway::read_endpoint_quarantine_json);
}

Result<EndpointQuarantine> AgentGateway::add(const QuarantineRequest& request) {
    return change_quarantine(socket_, kQuarantine, QuarantineStep::Add, request);
}

Result<EndpointQuarantine> AgentGateway::extend(const QuarantineRequest& request) {
    return change_quarantine(socket_, "/v1/quarantine/extend", QuarantineStep::Extend, request);
}

Result<EndpointQuarantine> AgentGateway::remove(const QuarantineRequest& request) {
    return change_quarantine(socket_, "/v1/quarantine/remove", QuarantineStep::Remove, request);
}

}  // namespace headgate::http
