// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/aws_protocol.h"

#include <Poco/UUID.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <iterator>
#include <system_error>

#include "base/error_kinds.h"
#include "base/printable.h"
#include "flow/json_members.h"
#include "flow/json_reader.h"
#include "http/access/authorized_gateway.h"
#include "http/aws/actions.h"

namespace headgate::http {
namespace {

struct Form {
    AwsFault fault;
    int status;
    std::string_view type;
};

constexpr Form kFaultForms[] = {
    {AwsFault::InvalidRequest, 400, "InvalidRequestException"},
    {AwsFault::InvalidToken, 400, "InvalidTokenException"},
    {AwsFault::ResourceNotFound, 400, "ResourceNotFoundException"},
    {AwsFault::Throttling, 400, "ThrottlingException"},
    {AwsFault::InternalServerError, 500, "InternalServerError"},
    {AwsFault::AccessDenied, 403, "AccessDeniedException"},
    {AwsFault::UnrecognizedClient, 403, "UnrecognizedClientException"},
    {AwsFault::IncompleteSignature, 403, "IncompleteSignature"},
    {AwsFault::InvalidSignature, 403, "InvalidSignatureException"},
    {AwsFault::RequestExpired, 400, "RequestExpired"},
    {AwsFault::RequestEntityTooLarge, 413, "RequestEntityTooLargeException"},
    {AwsFault::UnknownOperation, 404, "UnknownOperationException"},
    {AwsFault::ServiceUnavailable, 503, "ServiceUnavailable"},
};
static_assert(kFaultForms[std::size(kFaultForms) - 1].fault == AwsFault{std::size(kFaultForms) - 1} &&
              std::ranges::adjacent_find(kFaultForms, std::ranges::greater_equal{}, &Form::fault) ==
                  std::end(kFaultForms));

AwsFault fault_of(ErrorKind kind) {
    const auto is_named = [name = facts_of(kind).aws_error](const Form& form) { return form.type == name; };
    const auto form = std::ranges::find_if(kFaultForms, is_named);
    return form == std::end(kFaultForms) ? AwsFault::InternalServerError : form->fault;
}

/// 128 random bits in the form of a UUID. Poco's generator opens and closes /dev/urandom for each id, which takes a
/// tenth of the time of a request.
std::string new_request_id() {
    std::array<char, 16> bits{};
    if (::getentropy(bits.data(), bits.size()) != 0) throw std::system_error{errno, std::generic_category()};
    Poco::UUID id;
    id.copyFrom(bits.data());
    return id.toString();
}

Response answer_with(int status, std::string body) {
    Response answer;
    answer.status = status;
    answer.content_type = "application/x-amz-json-1.0";
    answer.headers.emplace_back("x-amzn-RequestId", new_request_id());
    answer.body = std::move(body);
    return answer;
}

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

Response aws_answer(std::string body) {
    return answer_with(200, std::move(body));
}

Response aws_error(AwsFault fault, std::string_view message, std::chrono::seconds retry_after) {
    const auto& form = kFaultForms[static_cast<std::size_t>(fault)];
    auto answer = answer_with(form.status, json_of([&](JsonMembers& members) {
                                  members.text("__type", fmt::format("com.amazonaws.networkfirewall#{}", form.type));
                                  members.text("Message", to_one_line(std::string{message}));
                              }));
    if (fault == AwsFault::Throttling || fault == AwsFault::ServiceUnavailable)
        answer.headers.emplace_back("Retry-After", fmt::format("{}", retry_after.count()));
    return answer;
}

Response aws_error_of(const Error& error) {
    return aws_error(fault_of(error.kind), error.message);
}

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
