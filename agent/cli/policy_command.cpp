#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "cli/commands.h"
#include "cli/output_stream.h"
#include "cli/policy_text.h"
#include "cli/terminal.h"
#include "midstream/policy_library.h"
#include "midstream/ruleset_text.h"

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
    const auto endpoint = arguments.endpoint.endpoint();
    if (!endpoint) return tl::unexpected(endpoint.error());
    const auto ruleset = arguments.endpoint.open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());
    if (auto applied = (*ruleset)->apply(*policy); !applied) return tl::unexpected(std::move(applied.error()));
    if (policy->exception == StreamException::Continue) {
        const auto table = arguments.endpoint.open_table();
        const auto picks_up = table ? (*table)->picks_up_tcp() : Result<bool>{true};
        if (picks_up && !*picks_up) {
            tell(
                "warning: net.netfilter.nf_conntrack_tcp_loose is 0: to your rules midstream TCP packets are invalid, "
                "not new");
        }
    }
    auto status = (*ruleset)->status();
    if (!status) return tl::unexpected(std::move(status.error()));
    return print(arguments.output, PolicyStatusAnswer{*endpoint, *status, condition_message(*status)});
}

Result<ExitCode> run_policy_remove_command(const PolicyArguments& arguments) {
    const auto endpoint = arguments.endpoint.endpoint();
    if (!endpoint) return tl::unexpected(endpoint.error());
    const auto ruleset = arguments.endpoint.open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());
    if (auto removed = (*ruleset)->remove(); !removed) return tl::unexpected(std::move(removed.error()));
    return print(arguments.output, PolicyStatusAnswer{*endpoint, RulesetStatus{}, {}});
}

Result<ExitCode> run_policy_status_command(const PolicyArguments& arguments) {
    const auto endpoint = arguments.endpoint.endpoint();
    if (!endpoint) return tl::unexpected(endpoint.error());
    const auto ruleset = arguments.endpoint.open_ruleset();
    if (!ruleset) return tl::unexpected(ruleset.error());
    const auto status = (*ruleset)->status();
    if (!status) return tl::unexpected(status.error());
    const auto message = condition_message(*status);
    if (!message.empty()) tell(fmt::format("warning: {}", message));
    return print(arguments.output, PolicyStatusAnswer{*endpoint, *status, message});
}

}  // namespace headgate::cli
