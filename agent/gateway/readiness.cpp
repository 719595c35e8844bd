// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/readiness.h"

#include <fmt/ranges.h>

#include "conntrack/table_sysctls.h"

namespace headgate::gateway {
namespace {

Result<void> check_table(const ManagedEndpoint& endpoint) {
    return endpoint.open_table()
        .and_then([](const std::unique_ptr<FlowTable>& table) { return table->usage(); })
        .map([](const TableUsage&) {});
}

Result<void> check_recording(const ManagedEndpoint& endpoint) {
    ASSIGN_OR_RETURN(const auto where, endpoint.open_namespace());
    ASSIGN_OR_RETURN(const auto off, conntrack::recordings_off(where));
    if (off.empty()) return {};
    return failed("off in this network namespace: {}", fmt::join(off, ", "));
}

Result<void> check_policy(const ManagedEndpoint& endpoint) {
    const auto& wanted = endpoint.configured_policy();
    ASSIGN_OR_RETURN(const auto ruleset, endpoint.open_ruleset());
    ASSIGN_OR_RETURN(const auto condition, ruleset->condition());
    if (condition == RulesetCondition::Changed || condition == RulesetCondition::Missing) {
        return failed("the kernel does not have what was applied: {}", to_string(condition));
    }
    if (wanted == config::kNoPolicy) return {};
    ASSIGN_OR_RETURN(const auto policy, ruleset->in_force());
    const auto name = policy ? policy->name : std::string{config::kPolicyRemoved};
    if (name == wanted) return {};
    if (!policy) return failed("policy {} is to be in force, and none is", wanted);
    if (wanted == config::kPolicyRemoved) return failed("no policy is to be in force, and {} is", name);
    return failed("policy {} is to be in force, and {} is", wanted, name);
}

}  // namespace

std::string fault_of(const Result<void>& checked) {
    return checked ? std::string{} : checked.error().message;
}

std::vector<Finding> endpoint_findings(const Endpoints& endpoints) {
    std::vector<Finding> findings;
    for (const auto& each : endpoints.all()) {
        findings.push_back({"flow_table", each->names(), fault_of(check_table(*each))});
        findings.push_back({"recording", each->names(), fault_of(check_recording(*each))});
        findings.push_back({"policy", each->names(), fault_of(check_policy(*each))});
    }
    return findings;
}

}  // namespace headgate::gateway
