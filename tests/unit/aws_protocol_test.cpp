// SPDX-License-Identifier: GPL-2.0-or-later
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
        EXPECT_EQ(http::carry_out_aws(gateway_, replays_, request_).status, 404) << method;
    }
    request_.method = "POST";
    request_.headers["x-amz-target"] = "NetworkFirewall_20200101.ListFirewalls";
    EXPECT_EQ(http::carry_out_aws(gateway_, replays_, request_).status, 404);
    request_.headers.erase("x-amz-target");
    EXPECT_EQ(http::carry_out_aws(gateway_, replays_, request_).status, 404);
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

TEST_F(AwsProtocol, a_member_that_is_null_is_absent) {
    EXPECT_EQ(ask("ListFirewalls", R"({"NextToken":null,"MaxResults":null,"Nothing":null})").status, 200);
    EXPECT_EQ(refused("DescribeFlowOperation", R"({"FirewallArn":null})"),
              "InvalidRequestException: FirewallArn: missing");
}

TEST_F(AwsProtocol, a_member_that_is_not_known_is_refused_by_its_name_in_every_operation) {
    for (const auto* operation : {"StartFlowCapture", "StartFlowFlush", "DescribeFlowOperation", "ListFlowOperations",
                                  "ListFlowOperationResults", "ListFirewalls", "DescribeFirewall",
                                  "DescribeFirewallPolicy", "UpdateFirewallPolicy"}) {
        const auto error = refused(operation, R"({"MinimumFlowAge":3600})");
        EXPECT_TRUE(error.starts_with("InvalidRequestException: MinimumFlowAge: unknown; the members here are "))
            << operation << " " << error;
    }
}

TEST_F(AwsProtocol, a_start_with_a_member_that_is_not_known_starts_nothing_whatever_the_shape) {
    const auto start = [&](std::string_view members) { return refused("StartFlowFlush", about_edge(members)); };
    EXPECT_EQ(start(R"("FlowFilters":[{"SourcePort":"1"}],"MinimumFlowAge":3600)"),
              "InvalidRequestException: MinimumFlowAge: unknown; the members here are FirewallArn, AvailabilityZone, "
              "AvailabilityZoneId, VpcEndpointId, VpcEndpointAssociationArn, FlowFilters, MinimumFlowAgeInSeconds");
    EXPECT_EQ(start(R"("FlowFilters":[{"SourcePort":"1"},{"SourceAddres":{"AddressDefinition":"10.0.0.1"}}])"),
              "InvalidRequestException: FlowFilters[1].SourceAddres: unknown; the members here are SourceAddress, "
              "DestinationAddress, SourcePort, DestinationPort, Protocols");
    EXPECT_EQ(start(R"("FlowFilters":[{"SourceAddress":{"AddressDefinition":"10.0.0.1","Except":"10.0.0.1"}}])"),
              "InvalidRequestException: FlowFilters[0].SourceAddress.Except: unknown; the members here are "
              "AddressDefinition");
    EXPECT_TRUE(start(R"("FlowFilter":[{"SourcePort":"1"}])").starts_with("InvalidRequestException: FlowFilter: "))
        << "rather than that FlowFilters is missing";
    EXPECT_TRUE(
        start(R"("FlowFilters":[{"SourcePort":"1"}],"dryrun":true)").starts_with("InvalidRequestException: dr"));
    EXPECT_EQ(start(R"("FlowFilters":[{"SourcePort":"1"},{"SourcePort":"1","SourcePort":"2"}])"),
              "InvalidRequestException: body: SourcePort: given twice");
    EXPECT_LT(start(fmt::format(R"("{}":1)", std::string(10'000, 'x'))).size(), 500U);
    EXPECT_EQ(gateway_.refusals().size(), 6U) << "each is on record";
    EXPECT_TRUE(gateway_.list({})->empty());
}

TEST_F(AwsProtocol, what_is_not_theirs_is_not_there) {
    request_.permissions = {http::access::Role::Operator, {{"core"}}};
    EXPECT_EQ(size_of(told("ListFirewalls", ""), "Firewalls"), 1U);
    EXPECT_EQ(refused("StartFlowCapture", about_edge(R"("FlowFilters":[{}])")),
              "ResourceNotFoundException: FirewallArn: there is no " + std::string{kEdge});
}

TEST_F(AwsProtocol, what_they_may_not_do_is_denied_and_recorded) {
    request_.permissions = {http::access::Role::Viewer, std::nullopt};
    const auto answer = ask("StartFlowFlush", about_edge(R"("FlowFilters":[{"SourcePort":"1"}])"));
    EXPECT_EQ(answer.status, 403);
    EXPECT_TRUE(error_of(answer).starts_with("AccessDeniedException: not allowed")) << answer.body;
    EXPECT_EQ(gateway_.refusals().size(), 1U);
    EXPECT_FALSE(started("StartFlowCapture").empty()) << "a viewer captures";
}

TEST_F(AwsProtocol, a_failure_is_the_servers) {
    gateway_.fail_with({ErrorKind::DiskFault, "no disk", ENOSPC});
    const auto answer = ask("ListFlowOperations", about_edge(""));
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(error_of(answer), "InternalServerError: no disk");
}

}  // namespace aws_protocol_test
}  // namespace headgate::testing
