// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/aws_error.h"

#include <gtest/gtest.h>

#include "flow/json_reader.h"

namespace headgate::http {
namespace aws_error_test {

std::string header_of(const Response& answer, std::string_view name) {
    for (const auto& [each, value] : answer.headers)
        if (each == name) return value;
    return "";
}

std::string type_of(const Response& answer) {
    const auto object = parse_json_object(answer.body).value();
    return object.text("__type").value();
}

TEST(AwsError, an_error_has_the_one_form_that_every_client_types) {
    const auto answer = aws_error(AwsFault::InvalidRequest, "a \"quoted\" rule");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.content_type, "application/x-amz-json-1.0");
    EXPECT_EQ(answer.body,
              R"({"__type":"com.amazonaws.networkfirewall#InvalidRequestException","Message":"a \"quoted\" rule"})");
}

TEST(AwsError, each_fault_has_its_status_and_type) {
    const auto is = [](AwsFault fault, int status, const std::string& type) {
        const auto answer = aws_error(fault, "");
        EXPECT_EQ(answer.status, status) << type;
        EXPECT_EQ(type_of(answer), "com.amazonaws.networkfirewall#" + type);
    };
    is(AwsFault::InvalidToken, 400, "InvalidTokenException");
    is(AwsFault::ResourceNotFound, 400, "ResourceNotFoundException");
    is(AwsFault::Throttling, 400, "ThrottlingException");
    is(AwsFault::InternalServerError, 500, "InternalServerError");
    is(AwsFault::AccessDenied, 403, "AccessDeniedException");
    is(AwsFault::UnrecognizedClient, 403, "UnrecognizedClientException");
    is(AwsFault::IncompleteSignature, 403, "IncompleteSignature");
    is(AwsFault::InvalidSignature, 403, "InvalidSignatureException");
    is(AwsFault::RequestExpired, 400, "RequestExpired");
    is(AwsFault::RequestEntityTooLarge, 413, "RequestEntityTooLargeException");
    is(AwsFault::UnknownOperation, 404, "UnknownOperationException");
    is(AwsFault::ServiceUnavailable, 503, "ServiceUnavailable");
}

TEST(AwsError, our_errors_are_the_faults_that_clients_know) {
    const auto type = [](ErrorKind kind) {
        return type_of(aws_error_of({kind, ""})).substr(std::string_view{"com.amazonaws.networkfirewall#"}.size());
    };
    EXPECT_EQ(type(ErrorKind::Invalid), "InvalidRequestException");
    EXPECT_EQ(type(ErrorKind::NotFound), "ResourceNotFoundException");
    EXPECT_EQ(type(ErrorKind::Outdated), "InvalidTokenException");
    EXPECT_EQ(type(ErrorKind::Busy), "ThrottlingException");
    EXPECT_EQ(type(ErrorKind::Forbidden), "AccessDeniedException");
    EXPECT_EQ(type(ErrorKind::Expired), "RequestExpired");
    EXPECT_EQ(type(ErrorKind::Unavailable), "ServiceUnavailable");
    EXPECT_EQ(type(ErrorKind::Refused), "InvalidRequestException");
    EXPECT_EQ(type(ErrorKind::Missing), "InternalServerError");
}

TEST(AwsError, a_throttled_client_learns_when_to_come_back) {
    EXPECT_EQ(header_of(aws_error(AwsFault::Throttling, ""), "Retry-After"), "1");
    EXPECT_EQ(header_of(aws_error(AwsFault::InvalidRequest, ""), "Retry-After"), "");
}

TEST(AwsError, every_answer_has_an_id_of_its_own) {
    const auto first = header_of(aws_answer("{}"), "x-amzn-RequestId");
    EXPECT_EQ(first.size(), 36U);
    EXPECT_NE(header_of(aws_answer("{}"), "x-amzn-RequestId"), first);
    EXPECT_EQ(header_of(aws_error(AwsFault::AccessDenied, ""), "x-amzn-RequestId").size(), 36U);
}

TEST(AwsError, a_message_that_quotes_a_stranger_is_one_line_of_valid_text) {
    const auto answer = aws_error(AwsFault::InvalidRequest, "\xFF\n" + std::string(5000, 'x'));
    const auto object = parse_json_object(answer.body).value();
    const auto message = object.text("Message").value();
    EXPECT_TRUE(message.starts_with("??xx")) << message;
    EXPECT_LT(message.size(), 600U);
}

}  // namespace aws_error_test
}  // namespace headgate::http
