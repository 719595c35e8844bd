#include <unistd.h>

#include <iterator>

#include "headgate/clock.h"

#include "cli/commands.h"
#include "cli/output_stream.h"
#include "cli/policy_text.h"
#include "cli/terminal.h"
#include "midstream/policy_library.h"
#include "midstream/ruleset_text.h"
#include "operations/ssh_session.h"

namespace headgate::cli {
namespace {

Result<ExitCode> print(const OutputArguments& arguments, const PolicyAnswer& answer) {
    const auto format = arguments.format();
    if (!format) return tl::unexpected(format.error());
    OutputStream out{STDOUT_FILENO};
    switch (*format) {
        case OutputFormat::Table:
            answer.append_text(out.buffer());
            break;
        case OutputFormat::Json:
            answer.append_json(out.buffer());
            break;
        case OutputFormat::Ndjson:
            answer.append_ndjson(out.buffer());
            break;
    }
    return out.flush().map([] { return ExitCode::Done; });
}

/// What about the kernel's state an operator must not overlook.
std::string condition_message(const RulesetStatus& status) {
    switch (status.condition) {
        case RulesetCondition::NothingApplied:
        case RulesetCondition::AsApplied:
            return {};
        case RulesetCondition::Changed:
            return "somebody has changed the table inet headgate since the policy was applied: apply it again";
        case RulesetCondition::Missing:
            return fmt::format(
                "policy {} was applied, but the kernel no longer has it: somebody has removed the table "
                "inet headgate, as nft flush ruleset does; apply it again",
                status.missing_policy);
        case RulesetCondition::Unverified:
            return "the kernel has this policy, but there is no record of its being applied: whether it is complete is "
                   "not known";
    }
    return {};
}

class Count final : public ScanListener {
  public:
    Result<void> matched(std::span<const FlowRow> rows) override {
        flows += rows.size();
        return {};
    }

    std::uint64_t flows = 0;
};

/// With scope all, what is not tracked is midstream: also the session that this command was typed in, on a gateway that
/// has tracked nothing so far.
Result<void> spare_own_session(const ChosenEndpoint& endpoint, const StreamExceptionPolicy& policy) {
    const auto sessions = operations::find_ssh_sessions();
    const bool cuts = policy.scope == MidstreamScope::All && policy.exception != StreamException::Continue;
    if (!cuts || sessions.empty() || endpoint.is_elsewhere()) return {};
    const auto table = endpoint.open_table();
    if (!table) return tl::unexpected(table.error());
    FlowQuery query;
    query.filters = sessions;
    query.direction = MatchDirection::Both;
    Count tracked;
    const auto scanned = (*table)->scan(query, Moment{SystemClock{}.now(), std::nullopt}, tracked);
    if (!scanned) return tl::unexpected(scanned.error());
    if (tracked.flows != 0) return {};
    return refused(
        "your SSH session is not tracked yet, and scope all would cut it: nothing was applied "
        "(--include-protected applies all the same)");
}

/// What an operator should know before the first packet tells.
Result<void> tell_consequences(const ChosenEndpoint& endpoint, const StreamExceptionPolicy& policy) {
    const auto table = endpoint.open_table();
    if (!table) return tl::unexpected(table.error());
    const auto usage = (*table)->usage();
    if (!usage) return tl::unexpected(usage.error());
    const auto picks_up = (*table)->picks_up_tcp();
    if (!picks_up) return tl::unexpected(picks_up.error());
    if (policy.scope == MidstreamScope::All && usage->in_use == 0) {
        tell(
            "warning: no flow is tracked here so far: connections that are there already are midstream to this policy");
    }
    if (policy.exception == StreamException::Continue && !*picks_up) {
        tell(
            "warning: net.netfilter.nf_conntrack_tcp_loose is 0: to your rules midstream TCP packets are invalid, not "
            "new");
    }
    return {};
}

}  // namespace

Result<ExitCode> run_policy_list_command(const PolicyArguments& arguments) {
    const auto policies = midstream::list_policies(midstream::policy_folders());
    for (const auto& entry : policies) {
        if (!entry.policy) tell(fmt::format("warning: {}", entry.policy.error().message));
    }
    return print(arguments.output, PolicyListAnswer{policies});
}

Result<ExitCode> run_policy_show_command(const PolicyArguments& arguments) {
    const auto policy = midstream::find_policy(arguments.name, midstream::policy_folders());
    if (!policy) return tl::unexpected(policy.error());
    if (!arguments.ruleset) return print(arguments.output, PolicyShowAnswer{*policy});
    OutputStream out{STDOUT_FILENO};
    fmt::format_to(std::back_inserter(out.buffer()), "table inet {} {{\n{}}}\n", midstream::kTable,
                   midstream::ruleset_text(*policy));
    return out.flush().map([] { return ExitCode::Done; });
}

Result<ExitCode> run_policy_apply_command(const PolicyArguments& arguments) {
    const auto policy = midstream::find_policy(arguments.name, midstream::policy_folders());
    if (!policy) return tl::unexpected(policy.error());
    const auto endpoint = arguments.endpoint.choose();
    if (!endpoint) return tl::unexpected(endpoint.error());
    const auto ruleset = endpoint->open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());
    auto spared = arguments.include_protected ? Result<void>{} : spare_own_session(*endpoint, *policy);
    auto applied = std::move(spared).and_then([&] { return tell_consequences(*endpoint, *policy); }).and_then([&] {
        return (*ruleset)->apply(*policy);
    });
    if (!applied) return tl::unexpected(std::move(applied.error()));
    auto status = (*ruleset)->status();
    if (!status) return tl::unexpected(std::move(status.error()));
    return print(arguments.output, PolicyStatusAnswer{endpoint->endpoint(), *status, condition_message(*status)});
}

Result<ExitCode> run_policy_remove_command(const PolicyArguments& arguments) {
    const auto endpoint = arguments.endpoint.choose();
    if (!endpoint) return tl::unexpected(endpoint.error());
    const auto ruleset = endpoint->open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());
    if (auto removed = (*ruleset)->remove(); !removed) return tl::unexpected(std::move(removed.error()));
    return print(arguments.output, PolicyStatusAnswer{endpoint->endpoint(), RulesetStatus{}, {}});
}

Result<ExitCode> run_policy_status_command(const PolicyArguments& arguments) {
    const auto endpoint = arguments.endpoint.choose();
    if (!endpoint) return tl::unexpected(endpoint.error());
    const auto ruleset = endpoint->open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());
    const auto status = (*ruleset)->status();
    if (!status) return tl::unexpected(status.error());
    const auto message = condition_message(*status);
    if (!message.empty()) tell(fmt::format("warning: {}", message));
    return print(arguments.output, PolicyStatusAnswer{endpoint->endpoint(), *status, message});
}

}  // namespace headgate::cli
