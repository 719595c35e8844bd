// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include <CLI/App.hpp>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/flow_text.h"
#include "cli/output_arguments.h"
#include "cli/terminal.h"
#include "gateway/gateway_json.h"
#include "midstream/policy_library.h"
#include "midstream/ruleset_text.h"
#include "sessions/ssh_sessions.h"

namespace headgate::cli {
namespace {

std::vector<Column> policy_columns() {
    using enum Column::Align;
    return {{"NAME"}, {"ACTION"}, {"SCOPE"}, {"HOOKS", Left, 2}, {"PRIORITY", Right, 1}, {"FILE", Left, 3}};
}

struct PolicyListArguments {
    OutputArguments output{policy_columns()};

    void add_to(CLI::App& command) { output.add_to(command); }
};

void add_policy_name(CLI::App& command, std::string& name) {
    command.add_option("NAME", name, "a policy's name, or the path of its file")->required();
}

struct PolicyShowArguments {
    OutputArguments output;
    std::string name;
    bool ruleset = false;

    void add_to(CLI::App& command) {
        output.add_to(command);
        add_policy_name(command, name);
        OptionGroup{command}.add_flag("--ruleset", ruleset, "as nftables rules");
    }
};

/// For `policy remove` and `policy status`.
struct EndpointPolicyArguments {
    OutputArguments output;
    EndpointArguments endpoint;

    void add_to(CLI::App& command) {
        output.add_to(command);
        endpoint.add_to(command);
    }
};

struct PolicyApplyArguments {
    OutputArguments output;
    std::string name;
    bool include_protected = false;
    EndpointArguments endpoint;

    void add_to(CLI::App& command) {
        output.add_to(command);
        add_policy_name(command, name);
        OptionGroup{command}.add_flag("--include-protected", include_protected,
                                      "even if that cuts an SSH session that is not tracked yet");
        endpoint.add_to(command);
    }
};

std::vector<std::string_view> hook_names(const StreamExceptionPolicy& policy) {
    std::vector<std::string_view> names;
    std::ranges::transform(policy.hooks, std::back_inserter(names), [](Hook hook) { return to_string(hook); });
    return names;
}

void append_policy_line(fmt::memory_buffer& out, std::string_view name, std::string_view value) {
    append_named(out, name, 24, value);
}

void append_rule_lines(fmt::memory_buffer& out, const StreamExceptionPolicy& policy) {
    append_policy_line(out, "action", to_string(policy.exception));
    append_policy_line(out, "scope", to_string(policy.scope));
    append_policy_line(out, "hooks", fmt::format("{}", fmt::join(hook_names(policy), ", ")));
    append_policy_line(out, "priority", fmt::format("{}", policy.priority));
    if (policy.scope != MidstreamScope::Flushed) return;
    const auto& time = policy.remember_flushed_for;
    const auto how = time ? fmt::format("remembered for {}", rounded_duration(*time))
                          : "each remembered as long as its timeout had left";
    append_policy_line(out, "flushed flows", fmt::format("{}, {} at most", how, policy.remember_at_most));
}

Cells policy_cells(const midstream::PolicyEntry& entry) {
    const auto& policy = *entry.policy;
    return {entry.name,
            std::string{to_string(policy.exception)},
            std::string{to_string(policy.scope)},
            fmt::format("{}", fmt::join(hook_names(policy), ",")),
            Signed{policy.priority},
            entry.file.string()};
}

void append_policy_text(fmt::memory_buffer& out, const StreamExceptionPolicy& policy) {
    append_policy_line(out, "policy", policy.name);
    if (!policy.description.empty()) append_policy_line(out, "description", policy.description);
    append_rule_lines(out, policy);
    if (policy.reject_invalid) append_policy_line(out, "invalid packets", "rejected");
    if (policy.log) {
        append_policy_line(
            out, "log", fmt::format("\"{}\", {} packets a second", policy.log->prefix, policy.log->packets_per_second));
    }
}

std::string_view condition_text(RulesetCondition condition) {
    switch (condition) {
        case RulesetCondition::NothingApplied:
            return "nothing in force";
        case RulesetCondition::AsApplied:
            return "in force";
        case RulesetCondition::Changed:
            return "changed since it was applied";
        case RulesetCondition::Missing:
            return "missing";
        case RulesetCondition::Unverified:
            return "in force, but not verified";
    }
    return "";
}

void append_policy_status_text(fmt::memory_buffer& out, const RulesetStatus& status, const TableLayout& layout) {
    append_policy_line(out, "policy", status.policy ? status.policy->name : "none");
    if (status.policy) append_rule_lines(out, *status.policy);
    if (status.condition != RulesetCondition::NothingApplied)
        append_policy_line(out, "state", condition_text(status.condition));
    if (!status.policy) return;
    if (status.policy->scope == MidstreamScope::Flushed) {
        append_policy_line(out, "remembered", plural(status.remembered_flows, "flow"));
    }
    for (const auto& window : status.windows) {
        append_policy_line(out, "window",
                           fmt::format("every midstream packet of {}, for {}", to_string(window.protocol),
                                       rounded_duration(window.left)));
    }
    const auto caught = [](const PolicyCounter& counter) { return counter.packets != 0; };
    if (std::ranges::none_of(status.counters, caught)) return;
    out.push_back('\n');
    constexpr auto kRight = Column::Align::Right;
    TextTable table{{{"POLICY"}, {"HOOK"}, {"DIRECTION"}, {"PROTOCOL"}, {"PACKETS", kRight}, {"BYTES", kRight}},
                    layout};
    for (const auto& counter : status.counters) {
        if (!caught(counter)) continue;
        table.add({counter.policy, std::string{to_string(counter.hook)}, std::string{to_string(counter.direction)},
                   counter.protocol, counter.packets, Bytes{counter.bytes}},
                  out);
    }
    table.finish(out);
}

/// A warning for the operator if the kernel's state is not as applied; otherwise empty.
std::string condition_message(const RulesetStatus& status) {
    switch (status.condition) {
        case RulesetCondition::NothingApplied:
        case RulesetCondition::AsApplied:
            return {};
        case RulesetCondition::Changed:
            return "another process has changed the table inet headgate since the policy was applied: apply it again";
        case RulesetCondition::Missing:
            return fmt::format(
                "policy {} was applied, but the kernel no longer has it: another process has removed the table "
                "inet headgate, as nft flush ruleset does; apply it again",
                status.missing_policy);
        case RulesetCondition::Unverified:
            return "the kernel has this policy, but there is no record of its being applied: whether it is complete is "
                   "not known";
    }
    return {};
}

gateway::PolicyRequest request_at(const EndpointArguments& endpoint) {
    gateway::PolicyRequest request;
    request.endpoint = endpoint.name();
    request.sessions = sessions::search_caller_sessions();
    request.caller = this_caller();
    return request;
}

Result<ExitCode> write_policy(Writer& writer, const Result<gateway::EndpointPolicy>& policy) {
    if (!policy) return tl::unexpected(about_argument(policy.error()));
    const auto& status = policy->status;
    for (const auto& warning : policy->warnings)
        warn(warning);
    return done(writer.document(
        [&](fmt::memory_buffer& out) {
            gateway::append_policy_status_json(out, policy->endpoint, status, condition_message(status));
        },
        [&](fmt::memory_buffer& out) { append_policy_status_text(out, status, writer.layout()); }));
}

Result<ExitCode> run_policy_list(const GatewayArguments& /*gateway*/, const PolicyListArguments& /*arguments*/,
                                 Writer& writer) {
    writer.begin({.list = "policies"});
    for (const auto& entry : midstream::list_policies(midstream::policy_folders())) {
        if (!entry.policy) {
            warn(entry.policy.error().message);
        } else {
            writer.row(
                [&](fmt::memory_buffer& out) { gateway::append_policy_json(out, *entry.policy, entry.file.native()); },
                [&] { return policy_cells(entry); });
        }
    }
    return done(writer.end());
}

Result<ExitCode> run_policy_show(const GatewayArguments& /*gateway*/, const PolicyShowArguments& arguments,
                                 Writer& writer) {
    ASSIGN_OR_RETURN(const auto policy, midstream::find_policy(arguments.name, midstream::policy_folders()));
    if (arguments.ruleset) {
        return print(fmt::format("table inet {} {{\n{}}}\n", midstream::kTable,
                                 midstream::ruleset_text(policy, midstream::kFirstGeneration)));
    }
    return done(writer.document([&](fmt::memory_buffer& out) { gateway::append_policy_json(out, policy); },
                                [&](fmt::memory_buffer& out) { append_policy_text(out, policy); }));
}

Result<ExitCode> run_policy_apply(const GatewayArguments& gateway_arguments, const PolicyApplyArguments& arguments,
                                  Writer& writer) {
    auto request = request_at(arguments.endpoint);
    request.policy = arguments.name;
    request.include_protected = arguments.include_protected;
    ASSIGN_OR_RETURN(const auto gateway, is_path(arguments.name) ? gateway_arguments.open_here()
                                                                 : gateway_arguments.open(request.endpoint));
    return write_policy(writer, gateway->policies().apply(request));
}

Result<ExitCode> run_policy_remove(const GatewayArguments& gateway_arguments, const EndpointPolicyArguments& arguments,
                                   Writer& writer) {
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open(arguments.endpoint.name()));
    return write_policy(writer, gateway->policies().remove(request_at(arguments.endpoint)));
}

Result<ExitCode> run_policy_status(const GatewayArguments& gateway_arguments, const EndpointPolicyArguments& arguments,
                                   Writer& writer) {
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open(arguments.endpoint.name()));
    auto policy = gateway->policies().status(arguments.endpoint.name());
    if (policy) {
        if (auto message = condition_message(policy->status); !message.empty()) policy->warnings.push_back(message);
    }
    return write_policy(writer, policy);
}

}  // namespace

void add_policy_commands(CommandTree& tree) {
    CLI::App& policy = tree.add_group(
        "policy", "Choose what happens to packets of connections that are not tracked, such as flushed ones");
    add_examples(policy, {"headgate policy list", "headgate policy apply reject", "headgate policy status"});
    add_examples(tree.add(policy, "list", "Show the policies that can be applied", run_policy_list),
                 {"headgate policy list"});
    add_examples(tree.add(policy, "show", "Show one policy", run_policy_show),
                 {"headgate policy show reject", "headgate policy show reject --ruleset   # as nftables rules"});
    add_examples(tree.add(policy, "apply", "Put a policy in force", run_policy_apply),
                 {"headgate policy apply reject", "headgate policy apply ./mine.yaml --firewall edge"});
    add_examples(tree.add(policy, "remove", "Remove the policy in force, and forget flushed flows", run_policy_remove),
                 {"headgate policy remove --firewall edge"});
    add_examples(tree.add(policy, "status", "Show which policy is in force, and what it does", run_policy_status),
                 {"headgate policy status"});
}

}  // namespace headgate::cli
