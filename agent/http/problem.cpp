// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/problem.h"

#include <Poco/Net/HTTPResponse.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/error_kinds.h"
#include "flow/json_members.h"
#include "flow/json_reader.h"

namespace headgate::http {
namespace {

template <typename Value>
std::optional<ErrorKind> find_kind(Value ErrorKindFacts::*member, const Value& value) {
    const auto found = std::ranges::find(kErrorKinds, value, member);
    return found == std::end(kErrorKinds) ? std::nullopt : std::optional{found->kind};
}

/// The most general kind with the status.
ErrorKind kind_of(int status) {
    const bool is_of_request = status >= 400 && status < 500;
    return find_kind(&ErrorKindFacts::http_status, status)
        .value_or(is_of_request ? ErrorKind::Invalid : ErrorKind::Failed);
}

}  // namespace

std::string_view reason_of(int status) {
    return Poco::Net::HTTPResponse::getReasonForStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(status));
}

Response problem(int status, const Error& error) {
    const auto add_details = [&](JsonMembers& members) {
        members.text("type", "about:blank");
        members.text("title", reason_of(status));
        members.number("status", status);
        members.text("detail", error.message);
        members.text("kind", facts_of(error.kind).name);
        if (const int number = errno_of(error); number != 0) members.number("errno", number);
    };
    auto answer = json_answer(status, json_of(add_details));
    answer.content_type = "application/problem+json";
    return answer;
}

Response problem(int status, std::string_view detail) {
    return problem(status, Error{kind_of(status), std::string{detail}});
}

Response problem_of(const Error& error) {
    return problem(facts_of(error.kind).http_status, error);
}

Error error_of(int status, const std::string& body) {
    Error error{kind_of(status), fmt::format("the agent answers {} {}", status, reason_of(status))};
    const auto object = parse_json_object(body);
    if (!object) return error;
    if (auto detail = object->text("detail")) error.message = std::move(*detail);
    if (const auto name = object->text("kind")) {
        error.kind = find_kind(&ErrorKindFacts::name, std::string_view{*name}).value_or(error.kind);
    }
    if (const auto number = object->number<int>("errno")) error.number = *number;
    return error;
}

}  // namespace headgate::http
