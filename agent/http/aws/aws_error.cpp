// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/aws_error.h"

#include <Poco/UUID.h>
#include <Poco/UUIDGenerator.h>
#include <fmt/format.h>

#include <cerrno>

#include "base/printable.h"
#include "http/aws/shape_writer.h"

namespace headgate::http {
namespace {

struct Form {
    int status;
    std::string_view type;
};

constexpr Form form_of(AwsFault fault) {
    switch (fault) {
        case AwsFault::InvalidRequest:
            return {400, "InvalidRequestException"};
        case AwsFault::InvalidToken:
            return {400, "InvalidTokenException"};
        case AwsFault::ResourceNotFound:
            return {400, "ResourceNotFoundException"};
        case AwsFault::Throttling:
            return {400, "ThrottlingException"};
        case AwsFault::InternalServerError:
            return {500, "InternalServerError"};
        case AwsFault::AccessDenied:
            return {403, "AccessDeniedException"};
        case AwsFault::UnrecognizedClient:
            return {403, "UnrecognizedClientException"};
        case AwsFault::IncompleteSignature:
            return {403, "IncompleteSignature"};
        case AwsFault::InvalidSignature:
            return {403, "InvalidSignatureException"};
        case AwsFault::RequestExpired:
            return {400, "RequestExpired"};
        case AwsFault::RequestEntityTooLarge:
            return {413, "RequestEntityTooLargeException"};
        case AwsFault::UnknownOperation:
            return {404, "UnknownOperationException"};
        case AwsFault::ServiceUnavailable:
            return {503, "ServiceUnavailable"};
    }
    return {500, "InternalServerError"};
}

AwsFault fault_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::Invalid:
            if (error.number == ENOENT) return AwsFault::ResourceNotFound;
            return error.number == ESTALE ? AwsFault::InvalidToken : AwsFault::InvalidRequest;
        case ErrorKind::Refused:
            if (error.number == EBUSY) return AwsFault::Throttling;
            if (error.number == EACCES) return AwsFault::AccessDenied;
            if (error.number == ESHUTDOWN) return AwsFault::ServiceUnavailable;
            return error.number == ESTALE ? AwsFault::RequestExpired : AwsFault::InvalidRequest;
        case ErrorKind::Failed:
            return AwsFault::InternalServerError;
    }
    return AwsFault::InternalServerError;
}

Response answer_with(int status, std::string body) {
    Response answer;
    answer.status = status;
    answer.content_type = "application/x-amz-json-1.0";
    answer.headers.emplace_back("x-amzn-RequestId", Poco::UUIDGenerator::defaultGenerator().createRandom().toString());
    answer.body = std::move(body);
    return answer;
}

}  // namespace

Response aws_answer(std::string body) {
    return answer_with(200, std::move(body));
}

Response aws_error(AwsFault fault, std::string_view message, std::chrono::seconds retry_after) {
    const auto form = form_of(fault);
    auto answer = answer_with(form.status, aws::json_of([&](JsonMembers& members) {
                                  members.text("__type", fmt::format("com.amazonaws.networkfirewall#{}", form.type));
                                  members.text("Message", to_one_line(std::string{message}));
                              }));
    if (fault == AwsFault::Throttling || fault == AwsFault::ServiceUnavailable)
        answer.headers.emplace_back("Retry-After", fmt::format("{}", retry_after.count()));
    return answer;
}

Response aws_error_of(const Error& error) {
    return aws_error(fault_of(error), error.message);
}

}  // namespace headgate::http
