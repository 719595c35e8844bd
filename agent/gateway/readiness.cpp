// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/readiness.h"

#include <fmt/ranges.h>

#include "conntrack/recording_sysctls.h"
#include "gateway/chosen_endpoint.h"

namespace headgate::gateway {
namespace {

std::string fault_of(const Result<void>& checked) {
    return checked ? std::string{} : checked.error().message;
}

Result<void> check_table(const ChosenEndpoint& endpoint) {
    return endpoint.open_table()
        .and_then([](const std::unique_ptr<FlowTable>& table) { return table->usage(); })
        .map([](const TableUsage&) {});
}

Result<void> check_recording(const ChosenEndpoint& endpoint) {
    ASSIGN_OR_RETURN(const auto where, endpoint.open_namespace());
    ASSIGN_OR_RETURN(const auto off, conntrack::recordings_off(where));
    if (off.empty()) return {};
    return failed("off in this network namespace: {}", fmt::join(off, ", "));
}

Result<void> check_policy(const ChosenEndpoint& endpoint, const std::optional<std::string>& wanted) {
    ASSIGN_OR_RETURN(const auto ruleset, endpoint.open_ruleset());
    ASSIGN_OR_RETURN(const auto condition, ruleset->condition());
    if (condition == RulesetCondition::Changed || condition == RulesetCondition::Missing) {
        return failed("the kernel does not have what was applied: {}", to_string(condition));
    }
    if (!wanted) return {};
    ASSIGN_OR_RETURN(const auto policy, ruleset->in_force());
    if (policy && policy->name == *wanted) return {};
    return failed("policy {} is to be in force, and {} is", *wanted,
                  policy ? std::string_view{policy->name} : config::kNoPolicy);
}

}  // namespace

std::vector<Finding> endpoint_findings(const config::Configuration& configuration) {
    std::vector<Finding> findings;
    for (const auto& firewall : configuration.firewalls) {
        for (const auto& place : firewall.endpoints) {
            const ChosenEndpoint endpoint{{firewall.name, place.availability_zone, ""}, place};
            const auto policy = config::policy_to_keep(configuration, place);
            findings.push_back({"flow_table", endpoint.endpoint(), fault_of(check_table(endpoint))});
            findings.push_back({"recording", endpoint.endpoint(), fault_of(check_recording(endpoint))});
            findings.push_back({"policy", endpoint.endpoint(), fault_of(check_policy(endpoint, policy))});
        }
    }
    return findings;
}

}  // namespace headgate::gateway
