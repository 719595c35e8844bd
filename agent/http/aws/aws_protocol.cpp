// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/aws_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "flow/json_reader.h"
#include "http/access/authorized_gateway.h"
#include "http/aws/actions.h"
#include "http/aws/aws_error.h"

namespace headgate::http {
namespace {

constexpr std::string_view kService = "NetworkFirewall_20201112.";
constexpr std::string_view kRoute = "aws:";
constexpr std::string_view kUnknown = "aws:unknown";
constexpr std::string_view kMediaType = "application/x-amz-json-1.0";

struct Operation {
    std::string_view route;  ///< kRoute followed by the operation's name
    Result<std::string> (*handle)(gateway::ManagedGateway&, const Request&, JsonReader&);

    [[nodiscard]] std::string_view name() const { return route.substr(kRoute.size()); }
};

template <typename... Parts>
Result<std::string> call(Result<std::string> (*handler)(const Request&, JsonReader&, Parts&...),
                         gateway::ManagedGateway& gateway, const Request& request, JsonReader& reader) {
    return handler(request, reader, gateway.part<Parts>()...);
}

/// Passes on the parts of the gateway that the handler uses.
template <auto handler>
Result<std::string> by(gateway::ManagedGateway& gateway, const Request& request, JsonReader& reader) {
    return call(handler, gateway, request, reader);
}

constexpr Operation kOperations[] = {
    {"aws:StartFlowCapture", by<aws::start_flow_capture>},
    {"aws:StartFlowFlush", by<aws::start_flow_flush>},
    {"aws:DescribeFlowOperation", by<aws::describe_flow_operation>},
    {"aws:ListFlowOperations", by<aws::list_flow_operations>},
    {"aws:ListFlowOperationResults", by<aws::list_flow_operation_results>},
    {"aws:ListFirewalls", by<aws::list_firewalls>},
    {"aws:DescribeFirewall", by<aws::describe_firewall>},
    {"aws:DescribeFirewallPolicy", by<aws::describe_firewall_policy>},
    {"aws:UpdateFirewallPolicy", by<aws::update_firewall_policy>},
};

const Operation* find_operation(std::string_view target) {
    if (!target.starts_with(kService)) return nullptr;
    const auto* const found = std::ranges::find(kOperations, target.substr(kService.size()), &Operation::name);
    return found == std::end(kOperations) ? nullptr : found;
}

/// An empty body counts as an empty object.
Result<JsonObject> read_body(const Request& request) {
    if (!is_media_type(request.header("Content-Type"), kMediaType)) {
        return invalid("Content-Type: the body must be {}", kMediaType);
    }
    auto object = parse_json_object(request.body.empty() ? "{}" : request.body);
    if (!object) return tl::unexpected(std::move(object.error()).within("body"));
    return object;
}

Result<std::string> carry_out(const Operation& operation, gateway::ManagedGateway& gateway,
                              access::ReplayGuard& replays, const Request& request) {
    return read_body(request).and_then([&](JsonObject&& body) {
        const auto theirs = access::authorized(gateway, request, replays);
        JsonReader reader{std::move(body), JsonReader::Others::RefusedUnlessNull};
        return operation.handle(*theirs, request, reader);
    });
}

}  // namespace

Response carry_out_aws(gateway::ManagedGateway& gateway, access::ReplayGuard& replays, const Request& request) {
    const auto target = request.header("X-Amz-Target");
    const auto* const operation = request.method == "POST" ? find_operation(target) : nullptr;
    if (operation == nullptr) {
        auto answer = aws_error(
            AwsFault::UnknownOperation,
            fmt::format("{} with X-Amz-Target \"{}\" is none of the operations here", request.method, target));
        answer.route = kUnknown;
        return answer;
    }
    auto body = carry_out(*operation, gateway, replays, request);
    auto answer = body ? aws_answer(std::move(*body)) : aws_error_of(body.error());
    answer.route = operation->route;
    return answer;
}

}  // namespace headgate::http
