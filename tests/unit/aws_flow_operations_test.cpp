// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/aws_calls.h"

namespace headgate::testing {
namespace aws_flow_operations_test {

using http::aws::vpc_endpoint_id;

class AwsOperations : public AwsCalls {
  protected:
    /// The error of a capture that names its firewall by these members.
    std::string refused_at(std::string_view members) {
        return refused("StartFlowCapture", fmt::format(R"({{{},"FlowFilters":[{{}}]}})", members));
    }
    std::string edge_arn() const { return fmt::format(R"("FirewallArn":"{}")", kEdge); }
    std::string described(std::string_view id, std::string_view members = "") {
        return fmt::format(R"({{{},"FlowOperationId":"{}"{}}})", edge_arn(), id, members);
    }
};

TEST_F(AwsOperations, a_start_answers_at_once_with_an_operation_in_progress) {
    const auto answer = told("StartFlowFlush", about_edge(R"("FlowFilters":[{"DestinationPort":"80"}],)"
                                                          R"("MinimumFlowAgeInSeconds":60)"));
    EXPECT_EQ(text(answer, "FirewallArn"), kEdge);
    EXPECT_EQ(text(answer, "FlowOperationId"), "00000000-0000-4000-8000-000000000001");
    EXPECT_EQ(text(answer, "FlowOperationStatus"), "IN_PROGRESS");
    const auto request = gateway_.last_request();
    EXPECT_EQ(request.type, OperationType::Flush);
    EXPECT_EQ(request.endpoint, (EndpointName{"edge", "a", {}}));
    EXPECT_EQ(request.caller, request_.caller);
    auto query = query_for("destination-port=80");
    query.minimum_age = std::chrono::seconds{60};
    EXPECT_EQ(request.query, query);
    EXPECT_FALSE(request.include_protected);
}

TEST_F(AwsOperations, a_busy_endpoint_throttles_and_another_zone_does_not) {
    static_cast<void>(started());
    const auto busy = ask("StartFlowFlush", about_edge(R"("FlowFilters":[{"SourcePort":"1"}])"));
    EXPECT_EQ(busy.status, 400);
    EXPECT_TRUE(error_of(busy).starts_with("ThrottlingException: one is running")) << busy.body;
    EXPECT_EQ(busy.headers.back(), (std::pair<std::string, std::string>{"Retry-After", "1"}));
    const auto elsewhere = fmt::format(R"({{{},"AvailabilityZone":"b","FlowFilters":[{{}}]}})", edge_arn());
    EXPECT_EQ(ask("StartFlowCapture", elsewhere).status, 200);
}

TEST_F(AwsOperations, a_retried_call_is_the_same_operation) {
    request_.headers["amz-sdk-invocation-id"] = "17cd8a5c";
    EXPECT_EQ(started(), started());
    EXPECT_EQ(gateway_.last_request().token, "aws:sigv4:AKIDEXAMPLE:17cd8a5c");
    request_.caller.user = "AKIDOTHER";
    EXPECT_TRUE(refused("StartFlowCapture", about_edge(R"("FlowFilters":[{}])")).starts_with("ThrottlingException"))
        << "another caller's is another one";
    request_.headers.erase("amz-sdk-invocation-id");
    static_cast<void>(refused("StartFlowCapture", about_edge(R"("FlowFilters":[{}])")));
    EXPECT_EQ(gateway_.last_request().token, "");
}

TEST_F(AwsOperations, an_invocation_id_is_printable_and_of_bounded_length) {
    for (const auto& wrong : {std::string{"two words"}, std::string{"\x7F"}, std::string(256, 'x')}) {
        request_.headers["amz-sdk-invocation-id"] = wrong;
        EXPECT_EQ(refused("StartFlowCapture", about_edge(R"("FlowFilters":[{}])")),
                  "InvalidRequestException: amz-sdk-invocation-id: 255 printable characters at most, without spaces");
    }
    request_.headers["amz-sdk-invocation-id"] = std::string(255, 'x');
    EXPECT_FALSE(started().empty());
}

TEST_F(AwsOperations, a_filter_of_the_command_line_looks_no_wider_than_it_is) {
    gateway::OperationRequest request;
    request.endpoint = {"edge", "a", std::nullopt};
    request.query = query_for_all();
    request.query.filters = {parse_flow_filter("destination=203.0.113.10,translated-destination=10.0.2.7").value()};
    const auto answer = ask("DescribeFlowOperation", described(gateway_.start(request).value().id));
    EXPECT_NE(answer.body.find(R"("TranslatedDestinationAddress":{"AddressDefinition":"10.0.2.7)"), std::string::npos)
        << answer.body;
}

TEST_F(AwsOperations, an_operation_names_its_flows) {
    EXPECT_EQ(refused("StartFlowCapture", about_edge("")), "InvalidRequestException: FlowFilters: missing");
    EXPECT_EQ(refused("StartFlowFlush", about_edge(R"("FlowFilters":[])")),
              "InvalidRequestException: FlowFilters: empty: name the flows; an empty filter captures all");
}

TEST_F(AwsOperations, a_flush_of_everything_is_said_with_both_families) {
    for (const auto* filters : {R"([{"SourcePort":"1"},{}])", R"([{"SourcePort":"1"},{"SourcePort":"ANY"}])",
                                R"([{"SourcePort":"1"},{"Protocols":[]}])"}) {
        EXPECT_EQ(refused("StartFlowFlush", about_edge(fmt::format(R"("FlowFilters":{})", filters))),
                  "InvalidRequestException: FlowFilters[1]: leaves no flow out; to flush every flow, say so by two "
                  "filters, with the addresses 0.0.0.0/0 and ::/0");
    }
    EXPECT_FALSE(started("StartFlowFlush", R"([{"SourceAddress":{"AddressDefinition":"0.0.0.0/0"}},)"
                                           R"({"SourceAddress":{"AddressDefinition":"::/0"}}])")
                     .empty());
}

TEST_F(AwsOperations, a_capture_may_be_of_everything) {
    EXPECT_FALSE(started("StartFlowCapture", R"([{"SourcePort":"ANY"}])").empty());
    EXPECT_EQ(gateway_.last_request().query, query_for_all());
}

TEST_F(AwsOperations, a_firewall_is_named_by_its_whole_arn) {
    EXPECT_EQ(refused_at(R"("FirewallArn":"firewall/edge")"),
              "InvalidRequestException: FirewallArn: an ARN begins with arn:aws and has 256 characters at most");
    EXPECT_EQ(refused_at(R"("FirewallArn":7)"), "InvalidRequestException: FirewallArn: not a text");
    for (const auto* other : {"arn:aws:network-firewall:eu-central-1:123456789012:firewall/edg",
                              "arn:aws:network-firewall:eu-west-1:123456789012:firewall/edge",
                              "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/edge"}) {
        EXPECT_EQ(refused_at(fmt::format(R"("FirewallArn":"{}")", other)),
                  fmt::format("ResourceNotFoundException: FirewallArn: there is no {}", other));
    }
}

TEST_F(AwsOperations, an_endpoint_is_named_by_its_zone_or_its_id) {
    const auto id = vpc_endpoint_id("edge", "b");
    const auto by_id = fmt::format(R"({{{},"VpcEndpointId":"{}","FlowFilters":[{{}}]}})", edge_arn(), id);
    EXPECT_EQ(ask("StartFlowCapture", by_id).status, 200);
    EXPECT_EQ(gateway_.last_request().endpoint.availability_zone, "b");
    EXPECT_EQ(refused_at(edge_arn() + R"(,"AvailabilityZone":"a","VpcEndpointId":")" + id + '"'),
              "InvalidRequestException: VpcEndpointId: " + id + " is in availability zone b, not in a");
    EXPECT_EQ(refused_at(edge_arn() + R"(,"AvailabilityZone":"c")"),
              "ResourceNotFoundException: AvailabilityZone: firewall edge has no endpoint \"c\"");
    EXPECT_EQ(refused_at(edge_arn() + R"(,"VpcEndpointId":"vpce-0123")"),
              "ResourceNotFoundException: VpcEndpointId: firewall edge has no endpoint \"vpce-0123\"");
    EXPECT_TRUE(refused_at(edge_arn() + R"(,"VpcEndpointId":"eni-1")").starts_with("InvalidRequestException"));
    EXPECT_TRUE(refused_at(edge_arn() + R"(,"AvailabilityZone":["a"])").starts_with("InvalidRequestException"));
}

TEST_F(AwsOperations, a_zone_is_named_by_its_id_too) {
    gateway_.configured.firewalls.front().endpoints.back().availability_zone_id = "euc1-az3";
    const auto capture_in = [&](std::string_view id) {
        return ask("StartFlowCapture",
                   fmt::format(R"({{{},"AvailabilityZoneId":"{}","FlowFilters":[{{}}]}})", edge_arn(), id));
    };
    EXPECT_EQ(capture_in("euc1-az3").status, 200);
    EXPECT_EQ(gateway_.last_request().endpoint, (EndpointName{"edge", "b", {}}));
    EXPECT_EQ(capture_in("a").status, 200) << "a zone without an id has its name for one";
    EXPECT_EQ(gateway_.last_request().endpoint, (EndpointName{"edge", "a", {}}));
    EXPECT_EQ(error_of(capture_in("b")),
              "ResourceNotFoundException: AvailabilityZoneId: firewall edge has no endpoint \"b\"");
    EXPECT_EQ(error_of(capture_in("use1-az4")),
              "ResourceNotFoundException: AvailabilityZoneId: firewall edge has no endpoint \"use1-az4\"");
    EXPECT_EQ(refused_at(edge_arn() + R"(,"AvailabilityZone":"a","AvailabilityZoneId":"euc1-az3")"),
              "InvalidRequestException: AvailabilityZoneId: euc1-az3 is in availability zone b, not in a");
    EXPECT_TRUE(
        refused_at(edge_arn() + R"(,"AvailabilityZoneId":"a","VpcEndpointId":")" + vpc_endpoint_id("edge", "b") + '"')
            .starts_with("InvalidRequestException: VpcEndpointId: "));
}

TEST_F(AwsOperations, the_id_of_a_zone_narrows_the_answer_and_is_in_it) {
    gateway_.configured.firewalls.front().endpoints.back().availability_zone_id = "euc1-az3";
    gateway_.complete_at_once(1);
    const auto id =
        text(told("StartFlowCapture", fmt::format(R"({{{},"AvailabilityZone":"b","FlowFilters":[{{}}]}})", edge_arn())),
             "FlowOperationId");
    const std::string there = R"(,"AvailabilityZoneId":"euc1-az3")";
    const std::string elsewhere = R"(,"AvailabilityZoneId":"a")";
    for (const auto* operation : {"DescribeFlowOperation", "ListFlowOperationResults"}) {
        const auto answer = told(operation, described(id, there));
        EXPECT_EQ(text(answer, "AvailabilityZone"), "b") << operation;
        EXPECT_EQ(text(answer, "AvailabilityZoneId"), "euc1-az3") << operation;
        EXPECT_TRUE(refused(operation, described(id, elsewhere)).starts_with("ResourceNotFoundException")) << operation;
    }
    const auto listed = [&](const std::string& members) {
        return size_of(told("ListFlowOperations", fmt::format("{{{}{}}}", edge_arn(), members)), "FlowOperations");
    };
    EXPECT_EQ(listed(there), 1U);
    EXPECT_EQ(listed(elsewhere), 0U);
    gateway_.configured.firewalls.front().endpoints.pop_back();
    EXPECT_FALSE(told("DescribeFlowOperation", described(id)).has("AvailabilityZoneId")) << "of a zone that is gone";
}

TEST_F(AwsOperations, the_only_endpoint_goes_unsaid_and_one_of_several_does_not) {
    const std::string core = R"({"FirewallArn":"arn:aws:network-firewall:eu-central-1:123456789012:firewall/core",)"
                             R"("AvailabilityZone":null,"FlowFilters":[{}]})";
    EXPECT_EQ(ask("StartFlowCapture", core).status, 200);
    EXPECT_EQ(gateway_.last_request().endpoint, (EndpointName{"core", "a", {}}));
    EXPECT_EQ(refused_at(edge_arn()),
              "InvalidRequestException: AvailabilityZone: firewall edge has several: name one of a, b, or a "
              "VpcEndpointId");
}

TEST_F(AwsOperations, there_are_no_endpoint_associations) {
    EXPECT_EQ(refused_at(edge_arn() + R"(,"VpcEndpointAssociationArn":"arn:aws:x")"),
              "ResourceNotFoundException: VpcEndpointAssociationArn: there is no association arn:aws:x");
    EXPECT_TRUE(refused_at(edge_arn() + R"(,"VpcEndpointAssociationArn":"x")").starts_with("InvalidRequestException"));
}

TEST_F(AwsOperations, an_operation_is_described_as_it_was_asked) {
    const auto id = started("StartFlowFlush", R"([{"SourceAddress":{"AddressDefinition":"10.0.1.0/24"}}])");
    gateway_.amend(id, [](FlowOperation& operation) { operation.requested_at += std::chrono::microseconds{123'456}; });
    const auto answer = ask("DescribeFlowOperation", described(id));
    EXPECT_EQ(answer.body,
              R"({"FirewallArn":"arn:aws:network-firewall:eu-central-1:123456789012:firewall/edge",)"
              R"("AvailabilityZone":"a","AvailabilityZoneId":"a","VpcEndpointId":")" +
                  vpc_endpoint_id("edge", "a") + R"(","FlowOperationId":")" + id +
                  R"(","FlowOperationStatus":"IN_PROGRESS","FlowRequestTimestamp":1795219200.123,)"
                  R"("FlowOperationType":"FLOW_FLUSH","FlowOperation":{"MinimumFlowAgeInSeconds":0,"FlowFilters":[)"
                  R"({"SourceAddress":{"AddressDefinition":"10.0.1.0/24"}}]}})");
}

TEST_F(AwsOperations, a_status_message_is_in_the_answer_where_there_is_one) {
    const auto id = started();
    gateway_.amend(id, [](FlowOperation& operation) {
        operation.status = OperationStatus::Failed;
        operation.status_message = "Flow timeout";
        operation.detail = "/var/lib is full";
    });
    const auto answer = ask("DescribeFlowOperation", described(id));
    const auto object = parse_json_object(answer.body).value();
    EXPECT_EQ(text(object, "FlowOperationStatus"), "FAILED");
    EXPECT_EQ(text(object, "StatusMessage"), "Flow timeout");
    EXPECT_EQ(answer.body.find("/var/lib"), std::string::npos);
}

TEST_F(AwsOperations, an_operation_of_another_endpoint_is_not_there) {
    const auto id = started();
    const auto not_there = "ResourceNotFoundException: FlowOperationId: there is no operation " + id + " there";
    EXPECT_EQ(ask("DescribeFlowOperation", described(id, R"(,"AvailabilityZone":"a")")).status, 200);
    EXPECT_EQ(refused("DescribeFlowOperation", described(id, R"(,"AvailabilityZone":"b")")), not_there);
    const auto of_b = fmt::format(R"(,"VpcEndpointId":"{}")", vpc_endpoint_id("edge", "b"));
    EXPECT_EQ(refused("DescribeFlowOperation", described(id, of_b)), not_there);
    EXPECT_EQ(refused("DescribeFlowOperation",
                      R"({"FirewallArn":"arn:aws:network-firewall:eu-central-1:123456789012:firewall/core",)"
                      R"("FlowOperationId":")" +
                          id + "\"}"),
              not_there);
    gateway_.amend(id, [](FlowOperation& operation) { operation.endpoint.network_namespace = "scratch"; });
    EXPECT_EQ(refused("DescribeFlowOperation", described(id)), not_there) << "a one-off run";
}

TEST_F(AwsOperations, an_operation_id_is_a_uuid_of_one_that_is_there) {
    EXPECT_EQ(refused("DescribeFlowOperation", described("7")),
              "InvalidRequestException: FlowOperationId: \"7\" is not a UUID in lower case");
    EXPECT_TRUE(refused("DescribeFlowOperation", described("00000000-0000-4000-8000-000000000009"))
                    .starts_with("ResourceNotFoundException"));
    EXPECT_EQ(refused("DescribeFlowOperation", about_edge("")), "InvalidRequestException: FlowOperationId: missing");
}

TEST_F(AwsOperations, operations_are_listed_newest_first_page_by_page) {
    gateway_.complete_at_once(0);
    for (int i = 0; i < 5; ++i)
        static_cast<void>(started());
    std::vector<std::string> ids;
    std::string token;
    for (int pages = 0; pages < 3; ++pages) {
        const auto page = told("ListFlowOperations", about_edge(R"("MaxResults":2)" + token));
        for (unsigned i = 0; i < size_of(page, "FlowOperations"); ++i)
            ids.push_back(text(element(page, "FlowOperations", i), "FlowOperationId").substr(35));
        EXPECT_EQ(page.has("NextToken"), pages < 2) << pages;
        token = fmt::format(R"(,"NextToken":"{}")", text(page, "NextToken"));
    }
    EXPECT_EQ(ids, (std::vector<std::string>{"5", "4", "3", "2", "1"}));
    EXPECT_FALSE(told("ListFlowOperations", about_edge(R"("MaxResults":5)")).has("NextToken")) << "a full last page";
}

TEST_F(AwsOperations, a_page_has_a_hundred_operations_unless_the_client_wants_fewer) {
    gateway_.complete_at_once(0);
    for (int i = 0; i < 101; ++i)
        static_cast<void>(started());
    const auto page = told("ListFlowOperations", about_edge(""));
    EXPECT_EQ(size_of(page, "FlowOperations"), 100U);
    EXPECT_TRUE(page.has("NextToken"));
    for (const auto* wrong : {"0", "101", "-1"}) {
        EXPECT_EQ(refused("ListFlowOperations", about_edge(fmt::format(R"("MaxResults":{})", wrong))),
                  fmt::format("InvalidRequestException: MaxResults: {} is not a number from 1 to 100", wrong));
    }
}

TEST_F(AwsOperations, a_listed_operation_has_its_type_time_and_status) {
    static_cast<void>(started());
    const auto answer = ask("ListFlowOperations", about_edge(""));
    EXPECT_EQ(answer.body, R"({"FlowOperations":[{"FlowOperationId":"00000000-0000-4000-8000-000000000001",)"
                           R"("FlowOperationType":"FLOW_CAPTURE","FlowRequestTimestamp":1795219200.000,)"
                           R"("FlowOperationStatus":"IN_PROGRESS"}]})");
}

TEST_F(AwsOperations, operations_are_selected_by_type_and_zone) {
    gateway_.complete_at_once(0);
    static_cast<void>(started("StartFlowCapture"));
    static_cast<void>(started("StartFlowFlush"));
    static_cast<void>(
        told("StartFlowCapture", fmt::format(R"({{{},"AvailabilityZone":"b","FlowFilters":[{{}}]}})", edge_arn())));
    const auto listed = [&](std::string_view members) {
        return size_of(told("ListFlowOperations", fmt::format("{{{}{}}}", edge_arn(), members)), "FlowOperations");
    };
    EXPECT_EQ(listed(""), 3U) << "all zones";
    EXPECT_EQ(listed(R"(,"AvailabilityZone":"a")"), 2U);
    EXPECT_EQ(listed(R"(,"FlowOperationType":"FLOW_FLUSH")"), 1U);
    EXPECT_EQ(listed(R"(,"FlowOperationType":"FLOW_CAPTURE","AvailabilityZone":"b")"), 1U);
    EXPECT_EQ(refused("ListFlowOperations", about_edge(R"("FlowOperationType":"FLUSH")")),
              "InvalidRequestException: FlowOperationType: \"FLUSH\" is neither FLOW_CAPTURE nor FLOW_FLUSH");
}

TEST_F(AwsOperations, rematches_do_not_exist) {
    gateway_.complete_at_once(0);
    const auto id = started();
    EXPECT_EQ(size_of(told("ListFlowOperations", about_edge("")), "FlowOperations"), 1U);
    gateway_.amend(id, [](auto& operation) { operation.type = OperationType::Rematch; });
    EXPECT_EQ(size_of(told("ListFlowOperations", about_edge("")), "FlowOperations"), 0U);
    EXPECT_TRUE(refused("DescribeFlowOperation", described(id)).starts_with("ResourceNotFoundException"));
    EXPECT_TRUE(refused("ListFlowOperationResults", described(id)).starts_with("ResourceNotFoundException"));
    EXPECT_EQ(refused("ListFlowOperations", about_edge(R"("FlowOperationType":"FLOW_REMATCH")")),
              "InvalidRequestException: FlowOperationType: \"FLOW_REMATCH\" is neither FLOW_CAPTURE nor FLOW_FLUSH");
}

TEST_F(AwsOperations, one_off_runs_are_not_listed_and_make_no_page_shorter) {
    gateway_.complete_at_once(0);
    for (int i = 0; i < 6; ++i) {
        const auto id = started();
        if (i % 2 == 1) gateway_.amend(id, [](auto& operation) { operation.endpoint.network_namespace = "scratch"; });
    }
    const auto page = told("ListFlowOperations", about_edge(R"("MaxResults":3)"));
    EXPECT_EQ(size_of(page, "FlowOperations"), 3U);
    EXPECT_FALSE(page.has("NextToken"));
}

TEST_F(AwsOperations, a_token_of_another_list_is_refused) {
    for (const auto* wrong : {"results:00000000/0000/4000/8000/000000000001:0", "operations:edge", "operations", "x"}) {
        const auto error = refused("ListFlowOperations", about_edge(fmt::format(R"("NextToken":"{}")", wrong)));
        EXPECT_TRUE(error.starts_with("InvalidRequestException: NextToken: ")) << error;
    }
}

}  // namespace aws_flow_operations_test
}  // namespace headgate::testing
