// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "flow/json_members.h"
#include "gateway/gateway_json.h"
#include "http/aws/actions.h"
#include "http/aws/firewall_names.h"
#include "http/aws/scope.h"
#include "http/aws/shapes.h"

namespace headgate::http::aws {
namespace {

using config::Firewall;
using gateway::EndpointPolicy;
using gateway::Inventory;
using gateway::StreamExceptionPolicies;

/// Headgate has no stateless rules: all traffic is handled statefully.
constexpr std::string_view kOnlyAction = "aws:forward_to_sfe";

struct ExceptionName {
    std::string_view name;
    StreamException exception;
};
constexpr ExceptionName kExceptions[] = {
    {"DROP", StreamException::Drop}, {"REJECT", StreamException::Reject}, {"CONTINUE", StreamException::Continue}};

Result<StreamException> parse_exception(std::string_view text) {
    for (const auto& [name, exception] : kExceptions)
        if (text == name) return exception;
    return invalid("\"{}\" is none of DROP, REJECT, CONTINUE", text);
}

std::string_view aws_name(StreamException exception) {
    return std::ranges::find(kExceptions, exception, &ExceptionName::exception)->name;
}

Result<std::string> parse_action(std::string_view text) {
    if (text == kOnlyAction) return std::string{text};
    return invalid("\"{}\": there are no stateless rules here; the action is {}", text, kOnlyAction);
}

/// Accepted and without effect, as there are no rules: clients send it along with the exception policy.
Result<std::string> parse_rule_order(std::string_view text) {
    if (text == "DEFAULT_ACTION_ORDER" || text == "STRICT_ORDER") return std::string{text};
    return invalid("\"{}\" is none of DEFAULT_ACTION_ORDER, STRICT_ORDER", text);
}

Result<std::vector<EndpointPolicy>> read_in_force(StreamExceptionPolicies& policies, const Firewall& firewall) {
    std::vector<EndpointPolicy> in_force;
    for (const auto& endpoint : firewall.endpoints) {
        ASSIGN_OR_RETURN(auto policy, policies.status({firewall.name, endpoint.availability_zone, {}}));
        in_force.push_back(std::move(policy));
    }
    return in_force;
}

std::optional<StreamException> exception_of(const EndpointPolicy& endpoint) {
    const auto& policy = endpoint.status.policy;
    return policy ? std::optional{policy->exception} : std::nullopt;
}

/// The policy that all endpoints have in common; nothing where they differ.
std::optional<StreamException> common_exception(std::span<const EndpointPolicy> in_force) {
    const auto first = exception_of(in_force.front());
    return std::ranges::all_of(in_force, [&](const auto& each) { return exception_of(each) == first; }) ? first
                                                                                                        : std::nullopt;
}

/// Covers what is in force, but not the counters, which change with every packet.
std::string update_token(const Firewall& firewall, std::span<const EndpointPolicy> in_force) {
    return uuid_of(json_of([&](JsonMembers& members) {
        members.text("firewall", firewall.name);
        members.objects("endpoints", in_force, [](JsonMembers& endpoint, const EndpointPolicy& each) {
            endpoint.text("zone", each.endpoint.availability_zone);
            endpoint.text("condition", to_string(each.status.condition));
            if (!each.status.policy) return;
            endpoint.text("policy", each.status.policy->name);
            gateway::add_policy_rules(endpoint, *each.status.policy);
        });
    }));
}

void add_policy_response(JsonMembers& members, const config::Configuration& configuration, const Firewall& firewall) {
    const auto arn = firewall_policy_arn(configuration, firewall.name);
    members.object("FirewallPolicyResponse", [&](JsonMembers& response) {
        response.text("FirewallPolicyName", firewall.name);
        response.text("FirewallPolicyArn", arn);
        response.text("FirewallPolicyId", uuid_of(arn));
        response.text("FirewallPolicyStatus", "ACTIVE");
        response.number("NumberOfAssociations", 1);
    });
}

void add_policy(JsonMembers& members, std::optional<StreamException> exception) {
    constexpr std::string_view kActions[] = {kOnlyAction};
    members.texts("StatelessDefaultActions", kActions);
    members.texts("StatelessFragmentDefaultActions", kActions);
    members.object("StatefulEngineOptions", [&](JsonMembers& options) {
        if (exception) options.text("StreamExceptionPolicy", aws_name(*exception));
    });
}

struct PolicyUpdate {
    ResourceReference policy;
    std::string token;
    std::optional<StreamException> exception;
    bool dry_run = false;
};

/// On an error, too, `update` has the valid parts.
Result<void> read_update(JsonReader& reader, PolicyUpdate& update) {
    read_resource_reference(reader, kFirewallPolicy, update.policy);
    reader.parsed("UpdateToken", update.token, parse_uuid);
    reader.object("FirewallPolicy", [&](JsonReader& policy) {
        std::vector<std::string> actions;
        std::string rule_order;
        policy.parsed_list("StatelessDefaultActions", actions, parse_action);
        policy.parsed_list("StatelessFragmentDefaultActions", actions, parse_action);
        policy.optional_object("StatefulEngineOptions", [&](JsonReader& options) {
            options.optional_parsed("StreamExceptionPolicy", update.exception, parse_exception);
            options.optional_parsed("RuleOrder", rule_order, parse_rule_order);
        });
    });
    reader.optional_flag("DryRun", update.dry_run);
    return reader.finish();
}

/// Applies a policy to endpoints, and restores those already changed when one fails.
class PolicyChange {
  public:
    PolicyChange(StreamExceptionPolicies& policies, const Caller& caller) : policies_(policies), caller_(caller) {}

    [[nodiscard]] Result<void> apply(std::span<const EndpointPolicy> in_force, StreamException exception) {
        for (const auto& endpoint : in_force) {
            const bool does_so =
                exception_of(endpoint) == exception && endpoint.status.condition == RulesetCondition::AsApplied;
            if (does_so) continue;
            auto applied = policies_.apply(policy_request_for(endpoint, to_string(exception)));
            if (!applied) return tl::unexpected(undo(std::move(applied.error()).within(zone_of(endpoint))));
            changed_.emplace_back(endpoint);
        }
        return {};
    }

  private:
    [[nodiscard]] static const std::string& zone_of(const EndpointPolicy& endpoint) {
        return endpoint.endpoint.availability_zone;
    }
    [[nodiscard]] gateway::PolicyRequest policy_request_for(const EndpointPolicy& endpoint,
                                                            std::string_view policy) const {
        gateway::PolicyRequest wanted;
        wanted.endpoint = {endpoint.endpoint.firewall, endpoint.endpoint.availability_zone, {}};
        wanted.policy = policy;
        wanted.caller = caller_;
        return wanted;
    }
    [[nodiscard]] Error undo(Error error) {
        for (const EndpointPolicy& before : changed_) {
            const auto& policy = before.status.policy;
            const auto wanted = policy_request_for(before, policy ? policy->name : "");
            const auto restored = policy ? policies_.apply(wanted) : policies_.remove(wanted);
            if (restored) continue;
            error.message +=
                fmt::format("; the policy of {} could not be restored: {}", zone_of(before), restored.error().message);
        }
        return error;
    }

    StreamExceptionPolicies& policies_;
    const Caller& caller_;
    std::vector<std::reference_wrapper<const EndpointPolicy>> changed_;  ///< as they were before
};

/// Finds foreseeable errors before any endpoint is changed.
Result<void> check_applicable(Inventory& inventory, const Firewall& firewall, StreamException exception) {
    const auto name = to_string(exception);
    const auto policies = inventory.named_policies();
    if (std::ranges::find(policies, name, &StreamExceptionPolicy::name) == policies.end()) {
        return failed("there is no stream exception policy {} on this gateway", name);
    }
    const auto configuration = inventory.configuration();
    for (const auto& endpoint : firewall.endpoints) {
        const auto& configured = config::configured_policy(*configuration, endpoint);
        if (configured == config::kPolicyRemoved) {
            return refused(
                "the configuration keeps no policy in force in {} (stream_exception_policy: {}): nothing was changed",
                endpoint.availability_zone, configured);
        }
        const auto kept = config::policy_to_keep(configured);
        if (!kept) continue;
        const auto found = std::ranges::find(policies, *kept, &StreamExceptionPolicy::name);
        if (found != policies.end() && found->exception == exception) continue;
        return refused("the configuration keeps policy {} in force in {}: nothing was changed", *kept,
                       endpoint.availability_zone);
    }
    return {};
}

/// Describes the update for the audit trail.
gateway::PolicyRequest policy_request_of(const Request& request, const std::string& firewall,
                                         const PolicyUpdate& update) {
    gateway::PolicyRequest wanted;
    wanted.endpoint.firewall = firewall;
    if (update.exception) wanted.policy = to_string(*update.exception);
    wanted.caller = request.caller;
    return wanted;
}

/// All checks that precede the first change.
Result<void> check_update(Inventory& inventory, StreamExceptionPolicies& policies, const Firewall& firewall,
                          const PolicyUpdate& update, std::span<const EndpointPolicy> in_force) {
    for (const auto& endpoint : firewall.endpoints) {
        RETURN_IF_ERROR(policies.may_change({firewall.name, endpoint.availability_zone, {}}));
    }
    if (update.token != update_token(firewall, in_force)) {
        return make_error(ErrorKind::Outdated,
                          "UpdateToken: the policy has changed since the token was issued; describe it again");
    }
    return update.exception ? check_applicable(inventory, firewall, *update.exception) : Result<void>{};
}

Result<void> carry_out(Inventory& inventory, StreamExceptionPolicies& policies,
                       gateway::RefusedRequests& refused_requests, const Request& request, const Firewall& firewall,
                       const PolicyUpdate& update) {
    // Serialized, so that of two updates with one token the second finds the token out of date.
    static std::mutex one_at_a_time;
    const std::lock_guard lock{one_at_a_time};
    ASSIGN_OR_RETURN(const auto in_force, read_in_force(policies, firewall));
    if (auto checked = check_update(inventory, policies, firewall, update, in_force); !checked) {
        return tl::unexpected(refused_requests.refuse_policy(operations::PolicyAction::Apply,
                                                             policy_request_of(request, firewall.name, update),
                                                             std::move(checked.error())));
    }
    if (!update.exception || update.dry_run) return {};
    return PolicyChange{policies, request.caller}.apply(in_force, *update.exception);
}

}  // namespace

Result<std::string> describe_firewall_policy(const Request& /*request*/, JsonReader& reader,
                                             gateway::Inventory& inventory,
                                             gateway::StreamExceptionPolicies& policies) {
    ResourceReference reference;
    read_resource_reference(reader, kFirewallPolicy, reference);
    RETURN_IF_ERROR(reader.finish());
    const auto configuration = inventory.configuration();
    ASSIGN_OR_RETURN(const auto firewall, find_resource(*configuration, kFirewallPolicy, reference));
    return read_in_force(policies, firewall).map([&](const std::vector<EndpointPolicy>& in_force) {
        return json_of([&](JsonMembers& members) {
            members.text("UpdateToken", update_token(firewall, in_force));
            add_policy_response(members, *configuration, firewall);
            members.object("FirewallPolicy",
                           [&](JsonMembers& policy) { add_policy(policy, common_exception(in_force)); });
        });
    });
}

Result<std::string> update_firewall_policy(const Request& request, JsonReader& reader, gateway::Inventory& inventory,
                                           gateway::StreamExceptionPolicies& policies,
                                           gateway::RefusedRequests& refused_requests) {
    PolicyUpdate update;
    const auto configuration = inventory.configuration();
    auto firewall = read_update(reader, update).and_then([&] {
        return find_resource(*configuration, kFirewallPolicy, update.policy);
    });
    if (!firewall) {
        const auto& named = update.policy.name ? *update.policy.name : update.policy.arn.value_or("");
        return tl::unexpected(refused_requests.refuse_policy(
            operations::PolicyAction::Apply, policy_request_of(request, named, update), std::move(firewall.error())));
    }
    RETURN_IF_ERROR(carry_out(inventory, policies, refused_requests, request, *firewall, update));
    return read_in_force(policies, *firewall).map([&](const std::vector<EndpointPolicy>& in_force) {
        return json_of([&](JsonMembers& members) {
            members.text("UpdateToken", update_token(*firewall, in_force));
            add_policy_response(members, *configuration, *firewall);
        });
    });
}

}  // namespace headgate::http::aws
