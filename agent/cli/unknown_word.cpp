// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/unknown_word.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include <CLI/App.hpp>

#include "base/text.h"

namespace headgate::cli {
namespace {

std::vector<const CLI::App*> commands_below(const CLI::App& parent) {
    return parent.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
}

std::vector<std::string> command_names(const CLI::App& parent) {
    std::vector<std::string> names;
    for (const auto* each : commands_below(parent))
        names.push_back(each->get_name());
    return names;
}

std::string whole_name(const CLI::App& command) {
    const auto* const parent = command.get_parent();
    return parent == nullptr ? command.get_name() : whole_name(*parent) + " " + command.get_name();
}

/// The command that was chosen last. Passes it and those above it to `take`, from the root on.
template <typename Sink>
const CLI::App& chosen_below(const CLI::App& root, const Sink& sink) {
    const auto* command = &root;
    sink(root);
    for (auto chosen = root.get_subcommands(); !chosen.empty(); chosen = command->get_subcommands()) {
        command = chosen.back();
        sink(*command);
    }
    return *command;
}

/// Of the command and of those above it.
std::vector<std::string> option_names(const CLI::App& command) {
    std::vector<std::string> names;
    for (const auto* each = &command; each != nullptr; each = each->get_parent())
        for (const auto* option : each->get_options())
            for (const auto& name : option->get_lnames())
                names.push_back("--" + name);
    return names;
}

}  // namespace

const CLI::App* find_command(const CLI::App& parent, std::string_view name) {
    const auto commands = commands_below(parent);
    const auto found = std::ranges::find(commands, name, [](const CLI::App* each) { return each->get_name(); });
    return found == commands.end() ? nullptr : *found;
}

std::string unknown_word(const CLI::App& command, std::string_view word) {
    if (word.starts_with('-')) {
        const auto name = take_until(word, '=');
        return fmt::format("{}: {} has no such option{}", name, whole_name(command),
                           did_you_mean(name, option_names(command)));
    }
    const auto names = command_names(command);
    if (names.empty()) return fmt::format("\"{}\" was not expected behind {}", word, whole_name(command));
    return fmt::format("\"{}\" is no command of {}{}", word, whole_name(command), did_you_mean(word, names));
}

std::string about_unknown_word(const CLI::App& root) {
    std::vector<std::string> unknown;
    const auto& command = chosen_below(root, [&](const CLI::App& each) {
        const auto more = each.remaining();
        unknown.insert(unknown.end(), more.begin(), more.end());
    });
    return unknown.empty() ? std::string{} : unknown_word(command, unknown.front());
}

std::string about_missing_command(const CLI::App& root) {
    const auto& command = chosen_below(root, [](const CLI::App& /*each*/) {});
    const auto names = command_names(command);
    if (names.empty()) return {};
    return fmt::format("{} requires a command: {}", whole_name(command), fmt::join(names, ", "));
}

}  // namespace headgate::cli
