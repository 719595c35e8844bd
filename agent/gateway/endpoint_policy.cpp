#include "gateway/endpoint_policy.h"

#include <fmt/format.h>

#include "midstream/policy_library.h"

namespace headgate::gateway {
namespace {

class Count final : public ScanListener {
  public:
    Result<void> matched(std::span<const FlowRow> rows) override {
        flows += rows.size();
        return {};
    }

    std::uint64_t flows = 0;
};

/// With scope all, what is not tracked is midstream: also the session that this was typed in, on a gateway that has
/// tracked nothing so far.
Result<void> spare_own_sessions(const ChosenEndpoint& endpoint, const PolicyOrder& order,
                                const StreamExceptionPolicy& policy, FlowTable& table, const Clock& clock) {
    const bool cuts = policy.scope == MidstreamScope::All && policy.exception != StreamException::Continue;
    if (order.include_protected || !cuts || order.own_sessions.empty() || endpoint.is_elsewhere()) return {};
    FlowQuery query;
    query.filters = order.own_sessions;
    query.direction = MatchDirection::Both;
    Count tracked;
    const auto scanned = table.scan(query, Moment{.now = clock.now()}, tracked);
    if (!scanned) return tl::unexpected(scanned.error());
    if (tracked.flows != 0) return {};
    return refused(
        "your SSH session is not tracked yet, and scope all would cut it: nothing was applied "
        "(--include-protected applies all the same)");
}

/// What an operator should know before the first packet tells.
Result<std::vector<std::string>> consequences(FlowTable& table, const StreamExceptionPolicy& policy) {
    const auto usage = table.usage();
    if (!usage) return tl::unexpected(usage.error());
    const auto picks_up = table.picks_up_tcp();
    if (!picks_up) return tl::unexpected(picks_up.error());
    std::vector<std::string> warnings;
    if (policy.scope == MidstreamScope::All && usage->in_use == 0) {
        warnings.emplace_back(
            "no flow is tracked here so far: connections that are there already are midstream to this policy");
    }
    if (policy.exception == StreamException::Continue && !*picks_up) {
        warnings.emplace_back(
            "net.netfilter.nf_conntrack_tcp_loose is 0: to your rules midstream TCP packets are invalid, not new");
    }
    return warnings;
}

tl::unexpected<Error> keeps_another(std::string_view policy) {
    return refused(
        "the configuration says that policy {} is to be in force here (stream_exception_policy): nothing was "
        "changed",
        policy);
}

}  // namespace

Result<StreamExceptionPolicy> wanted_policy(const config::Configuration& configuration, const ChosenEndpoint& endpoint,
                                            std::string_view name) {
    auto policy = midstream::find_policy(name, midstream::policy_folders());
    if (!policy) return policy;
    const auto name_kept = config::policy_to_keep(configuration, endpoint.place());
    if (!name_kept) return policy;
    const auto kept = midstream::find_policy(*name_kept, midstream::policy_folders());
    if (kept && *kept == *policy) return policy;
    return keeps_another(*name_kept);
}

Result<EndpointPolicy> read_policy(const ChosenEndpoint& endpoint) {
    const auto ruleset = endpoint.open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());
    auto status = (*ruleset)->status();
    if (!status) return tl::unexpected(std::move(status.error()));
    return EndpointPolicy{endpoint.endpoint(), std::move(*status), {}};
}

Result<EndpointPolicy> apply_policy(const config::Configuration& configuration, const ChosenEndpoint& endpoint,
                                    const PolicyOrder& order, const Clock& clock) {
    const auto policy = wanted_policy(configuration, endpoint, order.policy);
    if (!policy) return tl::unexpected(policy.error());
    const auto table = endpoint.open_table();
    if (!table) return tl::unexpected(table.error());
    auto warnings = spare_own_sessions(endpoint, order, *policy, **table, clock).and_then([&] {
        return consequences(**table, *policy);
    });
    if (!warnings) return tl::unexpected(std::move(warnings.error()));
    const auto ruleset = endpoint.open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());
    if (auto applied = (*ruleset)->apply(*policy); !applied) return tl::unexpected(std::move(applied.error()));
    return read_policy(endpoint).map([&](EndpointPolicy&& now) {
        now.warnings = std::move(*warnings);
        return std::move(now);
    });
}

Result<EndpointPolicy> remove_policy(const config::Configuration& configuration, const ChosenEndpoint& endpoint) {
    if (const auto kept = config::policy_to_keep(configuration, endpoint.place())) {
        return keeps_another(*kept);
    }
    const auto ruleset = endpoint.open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());
    if (auto removed = (*ruleset)->remove(); !removed) return tl::unexpected(std::move(removed.error()));
    return EndpointPolicy{endpoint.endpoint(), RulesetStatus{}, {}};
}

}  // namespace headgate::gateway
