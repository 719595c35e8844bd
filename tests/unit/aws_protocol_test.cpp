#include "http/aws/aws_protocol.h"

#include <cerrno>

#include "support/aws_calls.h"

namespace headgate::testing {
namespace aws_protocol_test {

class AwsProtocol : public AwsCalls {};

TEST_F(AwsProtocol, an_operation_is_found_by_its_target) {
    const auto answer = ask("ListFirewalls", "{}");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.route, "aws:ListFirewalls");
    EXPECT_EQ(answer.content_type, "application/x-amz-json-1.0");
    EXPECT_EQ(ask("StartFlowFlush", "{}").route, "aws:StartFlowFlush") << "errors have it, too";
}

TEST_F(AwsProtocol, an_operation_that_is_not_there_is_unknown) {
    const auto answer = ask("DeleteFirewall", "{}");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.route, "aws:unknown");
    EXPECT_EQ(
        error_of(answer),
        "UnknownOperationException: POST with X-Amz-Target \"NetworkFirewall_20201112.DeleteFirewall\" is none of the "
        "operations here");
    EXPECT_EQ(ask("", "{}").status, 404);
    EXPECT_EQ(ask("listfirewalls", "{}").status, 404);
    request_.headers["x-amz-target"] = "NetworkFirewall_20201112.ListFirewalls";
    for (const auto* method : {"GET", "HEAD", "PUT"}) {
        request_.method = method;
        EXPECT_EQ(http::AwsProtocol{gateway_}.answer(request_).status, 404) << method;
    }
    request_.method = "POST";
    request_.headers["x-amz-target"] = "NetworkFirewall_20200101.ListFirewalls";
    EXPECT_EQ(http::AwsProtocol{gateway_}.answer(request_).status, 404);
    request_.headers.erase("x-amz-target");
    EXPECT_EQ(http::AwsProtocol{gateway_}.answer(request_).status, 404);
}

TEST_F(AwsProtocol, the_body_is_a_json_object_and_an_empty_one_stands_for_one) {
    EXPECT_EQ(ask("ListFirewalls", "").status, 200);
    EXPECT_EQ(refused("ListFirewalls", "[]"), "InvalidRequestException: body: not a JSON object");
    EXPECT_EQ(refused("ListFirewalls", "{"), "InvalidRequestException: body: not valid JSON");
    EXPECT_EQ(refused("ListFirewalls", "{}{}"), "InvalidRequestException: body: not valid JSON");
}

TEST_F(AwsProtocol, members_of_any_wrong_kind_are_an_invalid_request) {
    for (const auto* value :
         {"1", "1e400", "true", "\"x\"", "[[]]", "[[{}]]", "{}", R"({"a":[{}]})", R"(["\u0000"])"}) {
        for (const auto* member : {"SourceAddress", "SourcePort", "Protocols"}) {
            const auto filters = fmt::format(R"("FlowFilters":[{{"{}":{}}}])", member, value);
            EXPECT_TRUE(refused("StartFlowCapture", about_edge(filters)).starts_with("InvalidRequestException"))
                << filters;
        }
        const auto policy = fmt::format(R"({{"FirewallPolicyName":"edge","UpdateToken":"{}","FirewallPolicy":)"
                                        R"({{"StatelessDefaultActions":{}}}}})",
                                        http::aws::uuid_of(""), value);
        EXPECT_TRUE(refused("UpdateFirewallPolicy", policy).starts_with("InvalidRequestException: ")) << policy;
    }
}

TEST_F(AwsProtocol, the_content_type_is_the_protocols_whatever_its_parameters) {
    request_.headers["content-type"] = "Application/X-Amz-Json-1.0 ; charset=utf-8";
    EXPECT_EQ(ask("ListFirewalls", "{}").status, 200);
    for (const auto* other : {"application/json", "application/x-amz-json-1.1", ""}) {
        request_.headers["content-type"] = other;
        EXPECT_EQ(refused("ListFirewalls", "{}"),
                  "InvalidRequestException: Content-Type: the body must be application/x-amz-json-1.0");
    }
}

TEST_F(AwsProtocol, members_that_nobody_knows_are_ignored_and_null_is_absent) {
    EXPECT_EQ(ask("ListFirewalls", R"({"AvailabilityZoneId":7,"NextToken":null,"MaxResults":null})").status, 200);
    EXPECT_EQ(refused("DescribeFlowOperation", R"({"FirewallArn":null})"),
              "InvalidRequestException: FirewallArn: missing");
}

TEST_F(AwsProtocol, what_is_not_theirs_is_not_there) {
    request_.rights = {gateway::Role::Operator, {{"core"}}};
    EXPECT_EQ(size_of(told("ListFirewalls", ""), "Firewalls"), 1U);
    EXPECT_EQ(refused("StartFlowCapture", about_edge(R"("FlowFilters":[{}])")),
              "ResourceNotFoundException: FirewallArn: there is no " + std::string{kEdge});
}

TEST_F(AwsProtocol, what_they_may_not_do_is_denied_and_recorded) {
    request_.rights = {gateway::Role::Viewer, std::nullopt};
    const auto answer = ask("StartFlowFlush", about_edge(R"("FlowFilters":[{"SourcePort":"1"}])"));
    EXPECT_EQ(answer.status, 403);
    EXPECT_TRUE(error_of(answer).starts_with("AccessDeniedException: not allowed")) << answer.body;
    EXPECT_EQ(gateway_.refusals().size(), 1U);
    EXPECT_FALSE(started("StartFlowCapture").empty()) << "a viewer captures";
}

TEST_F(AwsProtocol, a_failure_is_the_servers) {
    gateway_.fail_with({ErrorKind::Failed, "no disk", ENOSPC});
    const auto answer = ask("ListFlowOperations", about_edge(""));
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(error_of(answer), "InternalServerError: no disk");
}

}  // namespace aws_protocol_test
}  // namespace headgate::testing
