// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/aws_error.h"

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
#include <utility>

#include "base/error_kinds.h"
#include "base/printable.h"
#include "flow/json_members.h"

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

}  // namespace headgate::http
