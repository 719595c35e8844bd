// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/policy_reconciler.h"

#include <fmt/format.h>

#include <string_view>

namespace headgate::daemon {
namespace {

PolicyFinding finding_of(RulesetCondition condition) {
    switch (condition) {
        case RulesetCondition::NothingApplied:
            return PolicyFinding::Nothing;
        case RulesetCondition::AsApplied:
            return PolicyFinding::InForce;
        case RulesetCondition::Changed:
            return PolicyFinding::Changed;
        case RulesetCondition::Missing:
            return PolicyFinding::Missing;
        case RulesetCondition::Unverified:
            return PolicyFinding::Unverified;
    }
    return PolicyFinding::Unverified;
}

}  // namespace

Result<Kept> PolicyReconciler::look() {
    ASSIGN_OR_RETURN(const auto condition, ruleset_.condition());
    ASSIGN_OR_RETURN(const auto in_force, ruleset_.in_force());
    Kept kept{finding_of(condition), wanted_ ? wanted_->name : "", in_force ? in_force->name : ""};
    if (kept.found == PolicyFinding::InForce && kept.before != kept.wanted) kept.found = PolicyFinding::Another;
    return kept;
}

Result<Kept> PolicyReconciler::keep_none() {
    ASSIGN_OR_RETURN(auto kept, look());
    if (kept.found == PolicyFinding::Nothing) return Kept{PolicyFinding::InForce, "", ""};
    RETURN_IF_ERROR(ruleset_.remove());
    return kept;
}

/// apply() decides whether a change is needed: it compares the whole policy, of which in_force() returns only a part,
/// under the lock that excludes other writers. look() only provides the reason for the message.
Result<Kept> PolicyReconciler::keep() {
    if (!wanted_) return keep_none();
    ASSIGN_OR_RETURN(auto kept, look());
    const auto applied = ruleset_.apply(*wanted_);
    if (!applied) return tl::unexpected(Error{applied.error()}.within(fmt::format("policy {}", wanted_->name)));
    if (*applied == Application::NotNeeded) {
        kept.found = PolicyFinding::InForce;
        kept.before = wanted_->name;
    } else if (kept.found == PolicyFinding::InForce) {
        kept.found = PolicyFinding::Another;
    }
    return kept;
}

std::string describe(const Kept& kept) {
    if (kept.wanted.empty()) {
        return kept.before.empty()
                   ? "what was left of a policy was removed: the configuration keeps none in force"
                   : fmt::format("policy {} was in force and was removed: the configuration keeps none in force",
                                 kept.before);
    }
    switch (kept.found) {
        case PolicyFinding::InForce:
            return fmt::format("policy {} is in force", kept.wanted);
        case PolicyFinding::Nothing:
            return fmt::format("no policy was in force: now {} is", kept.wanted);
        case PolicyFinding::Missing:
            return fmt::format("the table inet headgate was missing (nft flush ruleset?): policy {} is in force again",
                               kept.wanted);
        case PolicyFinding::Changed:
            return fmt::format("another process had changed the table inet headgate: policy {} is in force again",
                               kept.wanted);
        case PolicyFinding::Unverified:
            return fmt::format(
                "there was no record of how the table inet headgate was applied: policy {} was applied anew",
                kept.wanted);
        case PolicyFinding::Another:
            break;
    }
    if (kept.before == kept.wanted)
        return fmt::format("the rules of policy {} have changed: the new ones are in force", kept.wanted);
    return fmt::format("policy {} was in force: now {} is", kept.before, kept.wanted);
}

operations::PolicyChange change_of(const Kept& kept, const Endpoint& endpoint) {
    Caller agent;
    agent.face = "agent";
    const bool removes = kept.wanted.empty();
    return {.action = removes ? operations::PolicyAction::Remove : operations::PolicyAction::Apply,
            .policy = removes ? kept.before : kept.wanted,
            .endpoint = endpoint,
            .caller = agent,
            .reason = "stream_exception_policy: " + describe(kept)};
}

}  // namespace headgate::daemon
