// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/shapes.h"
#include "support/aws_calls.h"

namespace headgate::testing {
namespace aws_firewalls_test {

using namespace http::aws;

class AwsFirewalls : public AwsCalls {};

TEST_F(AwsFirewalls, firewalls_are_listed_with_their_arns) {
    EXPECT_EQ(ask("ListFirewalls", "{}").body,
              R"({"Firewalls":[{"FirewallName":"edge","FirewallArn":)"
              R"("arn:aws:network-firewall:eu-central-1:123456789012:firewall/edge"},{"FirewallName":"core",)"
              R"("FirewallArn":"arn:aws:network-firewall:eu-central-1:123456789012:firewall/core"}]})");
}

TEST_F(AwsFirewalls, firewalls_are_listed_page_by_page) {
    gateway_.configured.firewalls.front().name = "edge-1";
    const auto first = told("ListFirewalls", R"({"MaxResults":1})");
    EXPECT_EQ(size_of(first, "Firewalls"), 1U);
    EXPECT_EQ(text(first, "NextToken"), "firewalls:edge/1");
    const auto second = told("ListFirewalls", R"({"MaxResults":1,"NextToken":"firewalls:edge/1"})");
    EXPECT_EQ(text(element(second, "Firewalls", 0), "FirewallName"), "core");
    EXPECT_FALSE(second.has("NextToken"));
    EXPECT_EQ(refused("ListFirewalls", R"({"NextToken":"firewalls:gone"})"),
              "InvalidRequestException: NextToken: there is no firewall gone any more");
    EXPECT_EQ(refused("ListFirewalls", R"({"NextToken":"operations:edge/1"})"),
              "InvalidRequestException: NextToken: not a token that this operation has given");
    EXPECT_TRUE(refused("ListFirewalls", R"({"MaxResults":101})").starts_with("InvalidRequestException: MaxResults"));
}

TEST_F(AwsFirewalls, firewalls_are_selected_by_their_vpcs) {
    const auto of_core = told("ListFirewalls", fmt::format(R"({{"VpcIds":["{}"]}})", vpc_id("core")));
    EXPECT_EQ(size_of(of_core, "Firewalls"), 1U);
    EXPECT_EQ(text(element(of_core, "Firewalls", 0), "FirewallName"), "core");
    EXPECT_EQ(size_of(told("ListFirewalls", R"({"VpcIds":["vpc-0"]})"), "Firewalls"), 0U);
    EXPECT_EQ(size_of(told("ListFirewalls", R"({"VpcIds":[]})"), "Firewalls"), 2U);
    EXPECT_EQ(refused("ListFirewalls", R"({"VpcIds":[1]})"), "InvalidRequestException: VpcIds[0]: not a text");
}

TEST_F(AwsFirewalls, a_firewall_is_described_with_its_endpoints_ids) {
    const auto answer = told("DescribeFirewall", R"({"FirewallName":"edge"})");
    EXPECT_TRUE(parse_uuid(text(answer, "UpdateToken")));
    const auto firewall = inner(answer, "Firewall");
    EXPECT_EQ(text(firewall, "FirewallName"), "edge");
    EXPECT_EQ(text(firewall, "FirewallArn"), kEdge);
    EXPECT_EQ(text(firewall, "FirewallPolicyArn"),
              "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/edge");
    EXPECT_TRUE(parse_uuid(text(firewall, "FirewallId")));
    EXPECT_EQ(text(firewall, "VpcId"), vpc_id("edge"));
    ASSERT_EQ(size_of(firewall, "SubnetMappings"), 2U);
    EXPECT_EQ(text(element(firewall, "SubnetMappings", 1), "SubnetId"), subnet_id("edge", "b"));
    const auto status = inner(answer, "FirewallStatus");
    EXPECT_EQ(text(status, "Status"), "READY");
    EXPECT_EQ(text(status, "ConfigurationSyncStateSummary"), "IN_SYNC");
    const auto attachment = inner(inner(inner(status, "SyncStates"), "b"), "Attachment");
    EXPECT_EQ(text(attachment, "SubnetId"), subnet_id("edge", "b"));
    EXPECT_EQ(text(attachment, "EndpointId"), vpc_endpoint_id("edge", "b"));
    EXPECT_EQ(text(attachment, "Status"), "READY");
}

TEST_F(AwsFirewalls, a_firewall_is_named_by_arn_or_name_or_both) {
    const auto by_arn = fmt::format(R"({{"FirewallArn":"{}"}})", kEdge);
    EXPECT_EQ(ask("DescribeFirewall", by_arn).body, ask("DescribeFirewall", R"({"FirewallName":"edge"})").body);
    EXPECT_EQ(ask("DescribeFirewall", fmt::format(R"({{"FirewallArn":"{}","FirewallName":"edge"}})", kEdge)).status,
              200);
    EXPECT_EQ(refused("DescribeFirewall", fmt::format(R"({{"FirewallArn":"{}","FirewallName":"core"}})", kEdge)),
              fmt::format("InvalidRequestException: FirewallArn, FirewallName: {} is not core", kEdge));
    EXPECT_EQ(refused("DescribeFirewall", "{}"),
              "InvalidRequestException: FirewallArn: missing, and so is FirewallName: one of them is needed");
    EXPECT_EQ(refused("DescribeFirewall", R"({"FirewallName":"none"})"),
              "ResourceNotFoundException: FirewallName: there is no none");
    EXPECT_TRUE(refused("DescribeFirewall", R"({"FirewallName":"a b"})").starts_with("InvalidRequestException"));
}

TEST_F(AwsFirewalls, the_update_token_changes_with_the_firewall) {
    const auto token = [&] { return text(told("DescribeFirewall", R"({"FirewallName":"edge"})"), "UpdateToken"); };
    const auto before = token();
    EXPECT_EQ(token(), before);
    gateway_.configured.firewalls.front().endpoints.pop_back();
    EXPECT_NE(token(), before);
}

}  // namespace aws_firewalls_test
}  // namespace headgate::testing
