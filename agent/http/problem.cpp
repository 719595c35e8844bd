// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/problem.h"

#include <Poco/Net/HTTPResponse.h>

#include <cerrno>

#include "flow/json_members.h"
#include "flow/json_reader.h"

namespace headgate::http {
namespace {

int status_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::Invalid:
            return error.number == ENOENT ? 404 : 400;
        case ErrorKind::Refused:
            if (error.number == EACCES) return 403;
            return error.number == ESHUTDOWN ? 503 : 409;
        case ErrorKind::Failed:
            return 500;
    }
    return 500;
}

ErrorKind kind_of(int status) {
    switch (status) {
        case 403:
        case 409:
        case 503:
            return ErrorKind::Refused;
        default:
            return status >= 400 && status < 500 ? ErrorKind::Invalid : ErrorKind::Failed;
    }
}

}  // namespace

std::string_view reason_of(int status) {
    return Poco::Net::HTTPResponse::getReasonForStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(status));
}

Response problem(int status, std::string_view detail, int number) {
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    members.text("type", "about:blank");
    members.text("title", reason_of(status));
    members.number("status", status);
    members.text("detail", detail);
    if (number != 0) members.number("errno", number);
    out.push_back('}');
    auto answer = json_answer(status, fmt::to_string(out));
    answer.content_type = "application/problem+json";
    return answer;
}

Response problem_of(const Error& error) {
    return problem(status_of(error), error.message, error.number);
}

Error error_of(int status, const std::string& body) {
    Error error{kind_of(status), fmt::format("the agent answers {} {}", status, reason_of(status)), 0};
    const auto object = parse_json_object(body);
    if (!object) return error;
    if (auto detail = object->text("detail")) error.message = std::move(*detail);
    if (const auto number = object->number<int>("errno")) error.number = *number;
    return error;
}

}  // namespace headgate::http
