// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/shapes.h"
#include "support/aws_calls.h"

namespace headgate::testing {
namespace aws_firewall_policies_test {

class AwsPolicies : public AwsCalls {
  protected:
    JsonObject described() { return told("DescribeFirewallPolicy", R"({"FirewallPolicyName":"edge"})"); }
    std::string exception() {
        return text(inner(inner(described(), "FirewallPolicy"), "StatefulEngineOptions"), "StreamExceptionPolicy");
    }
    std::string token() { return text(described(), "UpdateToken"); }

    /// Updates the policy of firewall edge with these options of the stateful engine.
    std::string update(std::string_view options, std::string_view members = "") {
        return fmt::format(R"({{"FirewallPolicyName":"edge","UpdateToken":"{}","FirewallPolicy":{{{}{}}}{}}})", token(),
                           kActions, options, members);
    }
    static std::string with(std::string_view exception) {
        return fmt::format(R"(,"StatefulEngineOptions":{{"StreamExceptionPolicy":"{}"}})", exception);
    }
    std::string policy_in(const std::string& zone) {
        const auto status = gateway_.status({"edge", zone, {}}).value().status;
        return status.policy ? status.policy->name : "none";
    }
    void put_in_force(const std::string& zone, const std::string& policy) {
        gateway::PolicyRequest request;
        request.endpoint = {"edge", zone, {}};
        request.policy = policy;
        ASSERT_TRUE(gateway_.apply(request));
    }

    static constexpr std::string_view kActions =
        R"("StatelessDefaultActions":["aws:forward_to_sfe"],"StatelessFragmentDefaultActions":["aws:forward_to_sfe"])";
};

TEST_F(AwsPolicies, an_update_takes_the_rights_to_every_firewall_in_one_of_its_network_namespaces) {
    gateway_.configured.firewalls = {{"edge", {{"a", {}, {}, {}}, {"b", "shared", 1, {}}}},
                                     {"core", {{"a", "shared", 2, {}}}}};
    request_.permissions = {http::access::Role::Operator, {{"edge"}}};
    for (const auto* dry_run : {"", R"(,"DryRun":true)"}) {
        const auto why = refused("UpdateFirewallPolicy", update(with("DROP"), dry_run));
        EXPECT_NE(why.find("not allowed: the rules of firewall edge in b"), std::string::npos) << why;
    }
    EXPECT_EQ(policy_in("a"), "none") << "where it could have been changed, it was not";
    request_.permissions = {http::access::Role::Operator, {{"edge", "core"}}};
    told("UpdateFirewallPolicy", update(with("DROP")));
    EXPECT_EQ(policy_in("b"), "drop");
}

TEST_F(AwsPolicies, a_policy_is_described_by_name_or_arn) {
    const auto answer = ask("DescribeFirewallPolicy", R"({"FirewallPolicyName":"edge"})");
    const std::string arn = "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/edge";
    EXPECT_EQ(ask("DescribeFirewallPolicy", R"({"FirewallPolicyArn":")" + arn + "\"}").body, answer.body);
    const auto response = inner(described(), "FirewallPolicyResponse");
    EXPECT_EQ(text(response, "FirewallPolicyName"), "edge");
    EXPECT_EQ(text(response, "FirewallPolicyArn"), arn);
    EXPECT_TRUE(http::aws::parse_uuid(text(response, "FirewallPolicyId")));
    EXPECT_EQ(text(response, "FirewallPolicyStatus"), "ACTIVE");
    EXPECT_NE(answer.body.find(fmt::format(R"("FirewallPolicy":{{{},"StatefulEngineOptions":{{}}}})", kActions)),
              std::string::npos)
        << answer.body;
    EXPECT_EQ(
        refused("DescribeFirewallPolicy", "{}"),
        "InvalidRequestException: FirewallPolicyArn: missing, and so is FirewallPolicyName: one of them is needed");
    EXPECT_EQ(refused("DescribeFirewallPolicy", R"({"FirewallPolicyName":"none"})"),
              "ResourceNotFoundException: FirewallPolicyName: there is no none");
    EXPECT_TRUE(refused("DescribeFirewallPolicy", fmt::format(R"({{"FirewallPolicyArn":"{}"}})", kEdge))
                    .starts_with("ResourceNotFoundException"))
        << "a firewall is no policy";
}

TEST_F(AwsPolicies, the_exception_policy_is_described_where_all_endpoints_agree) {
    EXPECT_EQ(exception(), "absent");
    put_in_force("a", "continue");
    EXPECT_EQ(exception(), "absent") << "nothing in force in the other zone";
    put_in_force("b", "continue");
    EXPECT_EQ(exception(), "CONTINUE");
    put_in_force("b", "reject");
    EXPECT_EQ(exception(), "absent");
}

TEST_F(AwsPolicies, the_token_is_of_what_is_in_force_on_every_endpoint) {
    const auto nothing = token();
    EXPECT_TRUE(http::aws::parse_uuid(nothing));
    EXPECT_EQ(token(), nothing);
    put_in_force("b", "drop");
    const auto drop_in_b = token();
    EXPECT_NE(drop_in_b, nothing);
    gateway_.rulesets_elsewhere["b"].counters.push_back({"drop", Hook::Forward, PacketDirection::Any, "tcp", 9, 9});
    EXPECT_EQ(token(), drop_in_b) << "what it has counted is nothing of the policy";
    gateway_.rulesets_elsewhere["b"].policy->remember_flushed_for = std::chrono::seconds{7};
    EXPECT_NE(token(), drop_in_b);
}

TEST_F(AwsPolicies, an_update_is_in_force_on_every_endpoint) {
    for (const auto& [wire, name] : {std::pair{"DROP", "drop"}, {"REJECT", "reject"}, {"CONTINUE", "continue"}}) {
        const auto answer = told("UpdateFirewallPolicy", update(with(wire)));
        EXPECT_EQ(text(answer, "UpdateToken"), token()) << "the one to go on with";
        EXPECT_EQ(text(inner(answer, "FirewallPolicyResponse"), "FirewallPolicyName"), "edge");
        EXPECT_EQ(policy_in("a"), name);
        EXPECT_EQ(policy_in("b"), name);
        EXPECT_EQ(exception(), wire);
    }
    EXPECT_EQ(gateway_.last_policy_request().caller, request_.caller);
}

TEST_F(AwsPolicies, an_update_takes_the_token_of_what_is_in_force) {
    const auto stale = update(with("DROP"));
    put_in_force("b", "reject");
    EXPECT_EQ(
        refused("UpdateFirewallPolicy", stale),
        "InvalidTokenException: UpdateToken: the policy has changed since the token was issued; describe it again");
    EXPECT_EQ(policy_in("a"), "none");
    EXPECT_EQ(refused("UpdateFirewallPolicy", R"({"FirewallPolicyName":"edge","UpdateToken":"1"})"),
              "InvalidRequestException: UpdateToken: \"1\" is not a UUID in lower case");
    EXPECT_EQ(refused("UpdateFirewallPolicy", R"({"FirewallPolicyName":"edge"})"),
              "InvalidRequestException: UpdateToken: missing");
}

TEST_F(AwsPolicies, an_update_is_checked_whole) {
    const auto policy = [&](std::string_view text) {
        return refused("UpdateFirewallPolicy", fmt::format(R"({{"FirewallPolicyName":"edge","UpdateToken":"{}",)"
                                                           R"("FirewallPolicy":{}}})",
                                                           token(), text));
    };
    EXPECT_EQ(policy("null"), "InvalidRequestException: FirewallPolicy: missing");
    EXPECT_EQ(policy("[]"), "InvalidRequestException: FirewallPolicy: not an object");
    EXPECT_EQ(policy("{}"), "InvalidRequestException: FirewallPolicy.StatelessDefaultActions: missing");
    EXPECT_EQ(
        policy(R"({"StatelessDefaultActions":["aws:pass"]})"),
        "InvalidRequestException: FirewallPolicy.StatelessDefaultActions[0]: \"aws:pass\": there are no stateless "
        "rules here; the action is aws:forward_to_sfe");
    EXPECT_EQ(
        refused("UpdateFirewallPolicy", update(with("drop"))),
        "InvalidRequestException: FirewallPolicy.StatefulEngineOptions.StreamExceptionPolicy: \"drop\" is none of "
        "DROP, REJECT, CONTINUE");
    EXPECT_EQ(refused("UpdateFirewallPolicy", update(with("DROP"), R"(,"DryRun":"true")")),
              "InvalidRequestException: DryRun: neither true nor false");
}

TEST_F(AwsPolicies, what_an_update_asks_beside_the_exception_policy_is_refused_and_not_left_out) {
    for (const auto* asked : {R"(,"StatefulRuleGroupReferences":[{"ResourceArn":"arn:aws:x"}])",
                              R"(,"StatefulEngineOptions":{"FlowTimeouts":{"TcpIdleTimeoutSeconds":60}})"}) {
        const auto error = refused("UpdateFirewallPolicy", update(asked));
        EXPECT_TRUE(error.starts_with("InvalidRequestException: FirewallPolicy.Stateful")) << error;
    }
    EXPECT_EQ(refused("UpdateFirewallPolicy",
                      update(R"(,"StatefulEngineOptions":{"StreamExceptionPolicy":"DROP","RuleOrder":"ANY"})")),
              "InvalidRequestException: FirewallPolicy.StatefulEngineOptions.RuleOrder: \"ANY\" is none of "
              "DEFAULT_ACTION_ORDER, STRICT_ORDER");
    EXPECT_EQ(policy_in("a"), "none");
}

TEST_F(AwsPolicies, without_an_exception_policy_nothing_changes) {
    put_in_force("a", "reject");
    for (const auto* options :
         {"", R"(,"StatefulEngineOptions":{})", R"(,"StatefulEngineOptions":null)",
          R"(,"StatefulEngineOptions":{"StreamExceptionPolicy":null,"RuleOrder":"STRICT_ORDER"})"})
        EXPECT_EQ(ask("UpdateFirewallPolicy", update(options)).status, 200) << options;
    EXPECT_EQ(policy_in("a"), "reject");
    EXPECT_EQ(policy_in("b"), "none");
}

TEST_F(AwsPolicies, a_policy_that_does_so_already_stays) {
    put_in_force("a", "drop-all");
    static_cast<void>(told("UpdateFirewallPolicy", update(with("DROP"))));
    EXPECT_EQ(policy_in("a"), "drop-all");
    EXPECT_EQ(policy_in("b"), "drop");
    gateway_.ruleset.condition = RulesetCondition::Changed;
    static_cast<void>(told("UpdateFirewallPolicy", update(with("DROP"))));
    EXPECT_EQ(policy_in("a"), "drop") << "another process had edited it";
}

TEST_F(AwsPolicies, a_dry_run_checks_and_changes_nothing) {
    EXPECT_EQ(ask("UpdateFirewallPolicy", update(with("DROP"), R"(,"DryRun":true)")).status, 200);
    EXPECT_EQ(policy_in("a"), "none");
    gateway_.configured.stream_exception_policy = "reject";
    EXPECT_EQ(refused("UpdateFirewallPolicy", update(with("DROP"), R"(,"DryRun":true)")),
              "InvalidRequestException: the configuration keeps policy reject in force in a: nothing was changed");
    EXPECT_EQ(ask("UpdateFirewallPolicy", update(with("REJECT"), R"(,"DryRun":true)")).status, 200);
}

TEST_F(AwsPolicies, an_update_is_refused_where_the_configuration_keeps_no_policy_in_force) {
    gateway_.configured.stream_exception_policy = "removed";
    for (const auto* dry_run : {"", R"(,"DryRun":true)"}) {
        EXPECT_EQ(refused("UpdateFirewallPolicy", update(with("DROP"), dry_run)),
                  "InvalidRequestException: the configuration keeps no policy in force in a (stream_exception_policy: "
                  "removed): nothing was changed");
    }
    EXPECT_EQ(policy_in("a"), "none");
    EXPECT_EQ(policy_in("b"), "none");
}

TEST_F(AwsPolicies, what_cannot_be_changed_everywhere_is_changed_nowhere) {
    put_in_force("a", "reject");
    gateway_.zone_of_fixed_policy = "b";
    EXPECT_EQ(refused("UpdateFirewallPolicy", update(with("DROP"))),
              "InternalServerError: b: the ruleset cannot be changed");
    EXPECT_EQ(policy_in("a"), "reject");
    static_cast<void>(gateway_.remove(gateway::PolicyRequest{{"edge", "a", {}}, {}, {}, {}, {}}));
    static_cast<void>(refused("UpdateFirewallPolicy", update(with("DROP"))));
    EXPECT_EQ(policy_in("a"), "none");
}

TEST_F(AwsPolicies, a_viewer_looks_and_changes_nothing) {
    request_.permissions = {http::access::Role::Viewer, std::nullopt};
    const auto answer = ask("UpdateFirewallPolicy", update(with("DROP")));
    EXPECT_EQ(answer.status, 403);
    EXPECT_TRUE(error_of(answer).starts_with("AccessDeniedException")) << answer.body;
    EXPECT_EQ(gateway_.refusals().size(), 1U);
    EXPECT_EQ(policy_in("a"), "none");
}

}  // namespace aws_firewall_policies_test
}  // namespace headgate::testing
