// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/local_policies.h"

#include <fmt/format.h>

#include <utility>

#include "gateway/session_guard.h"
#include "midstream/policy_library.h"
#include "sessions/ssh_sessions.h"

namespace headgate::gateway {
namespace {

/// Finds out which of some connections conntrack tracks.
class TrackedConnections final : public ScanListener {
  public:
    explicit TrackedConnections(const std::vector<FlowFilter>& connections) {
        for (const auto& connection : connections)
            untracked_.push_back(either_way({connection}));
    }

    Result<void> matched(std::span<const FlowRow> rows) override {
        for (const auto& row : rows)
            std::erase_if(untracked_, [&](const FlowQuery& connection) {
                return matches_filters(connection, row.flow.original, row.flow.reply);
            });
        return {};
    }

    [[nodiscard]] std::size_t untracked() const noexcept { return untracked_.size(); }

  private:
    std::vector<FlowQuery> untracked_;
};

Result<void> refuse_untracked(const std::vector<FlowFilter>& sessions, bool is_own, FlowTable& table,
                              const Clock& clock) {
    if (sessions.empty()) return {};
    TrackedConnections tracked{sessions};
    RETURN_IF_ERROR(table.scan(either_way(sessions), Moment{.now = clock.now()}, tracked));
    if (tracked.untracked() == 0) return {};
    const auto whose = is_own
                           ? std::string{"your SSH session is"}
                           : fmt::format("{} of {} SSH sessions into this machine, one of which may be yours, {}",
                                         tracked.untracked(), sessions.size(), tracked.untracked() == 1 ? "is" : "are");
    return refused(
        "{} not tracked yet, and scope all would cut that: nothing was applied (--include-protected applies all the "
        "same)",
        whose);
}

/// With scope all, untracked packets are midstream, including the caller's own session on a gateway that has tracked
/// nothing yet. Returns warnings for what could not be checked.
Result<std::vector<std::string>> spare_sessions(const ManagedEndpoint& endpoint, const PolicyRequest& request,
                                                const StreamExceptionPolicy& policy, FlowTable& table,
                                                const Clock& clock) {
    std::vector<std::string> warnings;
    const bool cuts = policy.scope == MidstreamScope::All && policy.exception != StreamException::Continue;
    if (request.include_protected || !cuts) return warnings;
    const auto found = endpoint.open_namespace().and_then(sessions::search_sessions);
    if (!found) {
        warnings.push_back(
            fmt::format("SSH sessions into this machine could not be looked for, so the policy may cut one: {}",
                        found.error().message));
        return warnings;
    }
    auto guard = guard_found(request.sessions, request.caller, {*found});
    std::erase_if(guard.sessions, [&](const FlowFilter& session) { return !found->has(session); });
    return refuse_untracked(guard.sessions, guard.is_own, table, clock).map([&] { return std::move(warnings); });
}

/// Warnings about effects that the operator should know in advance.
Result<std::vector<std::string>> consequences(FlowTable& table, const StreamExceptionPolicy& policy,
                                              std::vector<std::string> warnings) {
    ASSIGN_OR_RETURN(const auto usage, table.usage());
    ASSIGN_OR_RETURN(const auto picks_up, table.tcp_loose());
    if (policy.scope == MidstreamScope::All && usage.in_use == 0) {
        warnings.emplace_back(
            "no flow is tracked here so far: connections that are there already are midstream to this policy");
    }
    if (policy.exception == StreamException::Continue && !picks_up) {
        warnings.emplace_back(
            "net.netfilter.nf_conntrack_tcp_loose is 0: to your rules midstream TCP packets are invalid, not new");
    }
    return warnings;
}

tl::unexpected<Error> keeps_none() {
    return refused(
        "the configuration says that no policy is to be in force here (stream_exception_policy: {}): nothing was "
        "changed",
        config::kPolicyRemoved);
}

tl::unexpected<Error> keeps_another(std::string_view policy) {
    return refused(
        "the configuration says that policy {} is to be in force here (stream_exception_policy): nothing was "
        "changed",
        policy);
}

Result<EndpointPolicy> read_policy(const ManagedEndpoint& endpoint) {
    ASSIGN_OR_RETURN(const auto ruleset, endpoint.open_ruleset());
    ASSIGN_OR_RETURN(auto status, ruleset->status());
    return EndpointPolicy{endpoint.names(), std::move(status), {}};
}

/// Refused where it would cut one of the caller's own sessions, unless `include_protected` is set.
Result<EndpointPolicy> apply_policy(const ManagedEndpoint& endpoint, const PolicyRequest& request, const Clock& clock) {
    ASSIGN_OR_RETURN(const auto policy, wanted_policy(endpoint, request.policy));
    ASSIGN_OR_RETURN(const auto table, endpoint.open_table());
    ASSIGN_OR_RETURN(
        auto warnings,
        spare_sessions(endpoint, request, policy, *table, clock).and_then([&](std::vector<std::string> unknown) {
            return consequences(*table, policy, std::move(unknown));
        }));
    ASSIGN_OR_RETURN(const auto ruleset, endpoint.open_ruleset());
    RETURN_IF_ERROR(ruleset->apply(policy));
    return read_policy(endpoint).map([&](EndpointPolicy&& now) {
        now.warnings = std::move(warnings);
        return std::move(now);
    });
}

Result<EndpointPolicy> remove_policy(const ManagedEndpoint& endpoint) {
    if (const auto kept = endpoint.policy_to_keep()) return keeps_another(*kept);
    ASSIGN_OR_RETURN(const auto ruleset, endpoint.open_ruleset());
    RETURN_IF_ERROR(ruleset->remove());
    return EndpointPolicy{endpoint.names(), RulesetStatus{}, {}};
}

}  // namespace

Result<StreamExceptionPolicy> wanted_policy(const ManagedEndpoint& endpoint, std::string_view name) {
    ASSIGN_OR_RETURN(auto policy, midstream::find_policy(name, midstream::policy_folders()));
    if (endpoint.configured_policy() == config::kPolicyRemoved) return keeps_none();
    const auto name_kept = endpoint.policy_to_keep();
    if (!name_kept) return policy;
    const auto kept = midstream::find_policy(*name_kept, midstream::policy_folders());
    if (kept && *kept == policy) return policy;
    return keeps_another(*name_kept);
}

Result<EndpointPolicy> LocalPolicies::status(const EndpointName& endpoint) {
    ASSIGN_OR_RETURN(const auto found, endpoints_.find(endpoint));
    return read_policy(*found);
}

Result<EndpointPolicy> LocalPolicies::apply(const PolicyRequest& request) {
    return change(operations::PolicyAction::Apply, request,
                  [&](const ManagedEndpoint& endpoint) { return apply_policy(endpoint, request, clock_); });
}

Result<EndpointPolicy> LocalPolicies::remove(const PolicyRequest& request) {
    return change(operations::PolicyAction::Remove, request, remove_policy);
}

Result<EndpointPolicy> LocalPolicies::change(operations::PolicyAction action, const PolicyRequest& request,
                                             const Change& change) {
    RETURN_IF_ERROR(audit_.ready());
    operations::PolicyChange record{action, request.policy, {}, request.caller};
    const auto endpoint = endpoints_.find(request.endpoint);
    if (endpoint) record.endpoint = (*endpoint)->names();
    auto changed = endpoint ? change(**endpoint) : Result<EndpointPolicy>{tl::unexpected(endpoint.error())};
    const auto result = changed ? Result<void>{} : tl::unexpected(changed.error());
    if (auto recorded = audit_.record(record, result); !recorded && changed) {
        changed->warnings.push_back(recorded.error().message);
    }
    return changed;
}

}  // namespace headgate::gateway
