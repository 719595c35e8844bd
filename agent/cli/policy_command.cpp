#include <unistd.h>

#include <iterator>

#include "cli/commands.h"
#include "cli/output_stream.h"
#include "cli/policy_text.h"
#include "cli/terminal.h"
#include "midstream/policy_library.h"
#include "midstream/ruleset_text.h"
#include "sessions/session_search.h"

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

/// A policy in a file is this process's to read, and the agent knows no namespaces but the configured ones.
Result<std::unique_ptr<gateway::Gateway>> open_gateway(const PolicyArguments& arguments) {
    const bool here = arguments.endpoint.network_namespace || arguments.name.find('/') != std::string::npos;
    return here ? arguments.gateway.open_here() : arguments.gateway.open();
}

gateway::PolicyOrder order_of(const PolicyArguments& arguments) {
    return {arguments.endpoint.name(), arguments.name, arguments.include_protected, sessions::search_caller_sessions(),
            this_caller()};
}

Result<ExitCode> answer(const PolicyArguments& arguments, const Result<gateway::EndpointPolicy>& policy) {
    if (!policy) return tl::unexpected(about_argument(policy.error()));
    for (const auto& warning : policy->warnings)
        tell(fmt::format("warning: {}", warning));
    return print(arguments.output,
                 PolicyStatusAnswer{policy->endpoint, policy->status, condition_message(policy->status)});
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
                   midstream::ruleset_text(*policy, midstream::kFirstEdition));
    return out.flush().map([] { return ExitCode::Done; });
}

Result<ExitCode> run_policy_apply_command(const PolicyArguments& arguments) {
    const auto gateway = open_gateway(arguments);
    if (!gateway) return tl::unexpected(gateway.error());
    return answer(arguments, (*gateway)->apply_policy(order_of(arguments)));
}

Result<ExitCode> run_policy_remove_command(const PolicyArguments& arguments) {
    const auto gateway = open_gateway(arguments);
    if (!gateway) return tl::unexpected(gateway.error());
    return answer(arguments, (*gateway)->remove_policy(order_of(arguments)));
}

Result<ExitCode> run_policy_status_command(const PolicyArguments& arguments) {
    const auto gateway = open_gateway(arguments);
    if (!gateway) return tl::unexpected(gateway.error());
    auto policy = (*gateway)->policy_status(arguments.endpoint.name());
    if (policy) {
        if (auto message = condition_message(policy->status); !message.empty()) policy->warnings.push_back(message);
    }
    return answer(arguments, policy);
}

}  // namespace headgate::cli
