// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_description.h"

#include <map>

#include <CLI/App.hpp>

#include "headgate/operation_type.h"
#include "headgate/protocol.h"

#include "cli/candidates.h"
#include "cli/writer.h"

namespace headgate::cli {
namespace {

using Paths = ValueHint::Paths;

std::vector<std::string> format_names() {
    std::vector<std::string> names;
    for (const auto& format : output_formats())
        names.emplace_back(format.name);
    return names;
}

Candidates command_candidates(const GatewayArguments& /*gateway*/) {
    Candidates names;
    for (const auto& each : describe_command_line().commands)
        names.emplace(each.name, each.purpose);
    return names;
}

/// By an argument's name, which has the same meaning in every command.
const std::map<std::string_view, ValueHint>& value_hints() {
    static const std::map<std::string_view, ValueHint> hints = {
        {"--availability-zone", {.candidates = zone_candidates}},
        {"--config", {.paths = Paths::Files}},
        {"--file", {.paths = Paths::Files}},
        {"--filter", {.parts = filter_candidates}},
        {"--firewall", {.candidates = firewall_candidates}},
        {"--from-capture", {.candidates = operation_candidates, .paths = Paths::Files}},
        {"--match", {.choices = {"original", "translated", "any"}}},
        {"--netns", {.candidates = namespace_candidates, .paths = Paths::Files}},
        {"--operation", {.candidates = operation_candidates}},
        {"--output", {.choices = format_names()}},
        {"--protocol", {.choices = protocol_names()}},
        {"--reason", {.choices = {"flushed", "closed", "timeout", "evicted"}}},
        {"--ruleset", {.paths = Paths::Files}},
        {"--show", {.choices = {"allowed", "refused", "translated", "unknown", "all"}}},
        {"--socket", {.paths = Paths::Files}},
        {"--state", {.choices = {"NEW", "ESTABLISHED", "CLOSED", "ACTIVE", "ANY"}}},
        {"--status",
         {.choices = {"in_progress", "completed", "completed_with_errors", "failed", "refused", "declined"}}},
        {"--state-dir", {.paths = Paths::Folders}},
        {"--stream-exception-policy", {.candidates = policy_candidates, .paths = Paths::Files}},
        {"--type", {.choices = {kOperationVerbs.begin(), kOperationVerbs.end()}}},
        {"ADDRESS", {.candidates = quarantine_candidates}},
        {"COMMAND", {.candidates = command_candidates}},
        {"ID", {.candidates = operation_candidates}},
        {"NAME", {.candidates = policy_candidates, .paths = Paths::Files}},
        {"SHELL", {.choices = {"bash", "zsh"}}},
    };
    return hints;
}

ArgumentDescription describe_argument(const CLI::Option& option) {
    ArgumentDescription argument;
    argument.name = option.get_name();
    for (const auto& name : option.get_snames())
        argument.other_names.push_back("-" + name);
    for (const auto& name : option.get_lnames())
        if ("--" + name != argument.name) argument.other_names.push_back("--" + name);
    const bool has_value = option.get_items_expected_max() > 0;
    if (has_value) argument.value = option.nonpositional() ? option.get_type_name() : argument.name;
    argument.purpose = option.get_description();
    argument.repeats = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    const auto hint = value_hints().find(argument.name);
    const bool is_free = argument.value == "TEXT";  // the reason of a quarantine is not one of the ends of flows
    if (has_value && !is_free && hint != value_hints().end()) argument.hint = hint->second;
    return argument;
}

}  // namespace

std::vector<std::string> protocol_names() {
    std::vector<std::string> names;
    for (unsigned number = 0; number <= 255; ++number) {
        const auto name = to_string(Protocol{static_cast<std::uint8_t>(number)});
        const bool is_named = name.front() > '9';
        if (is_named) names.emplace_back(name);
    }
    return names;
}

CommandDescription describe(const CLI::App& command) {
    CommandDescription description;
    description.name = command.get_name();
    description.purpose = command.get_description();
    for (const CLI::Option* option : command.get_options()) {
        if (option->get_positional()) {
            description.operand = describe_argument(*option);
        } else {
            description.options.push_back(describe_argument(*option));
        }
    }
    const auto is_shown = [](const CLI::App* each) { return !each->get_group().empty(); };
    for (const CLI::App* each : command.get_subcommands(is_shown))
        description.commands.push_back(describe(*each));
    return description;
}

}  // namespace headgate::cli
