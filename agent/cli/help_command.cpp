// SPDX-License-Identifier: GPL-2.0-or-later
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/unknown_word.h"

namespace headgate::cli {
namespace {

struct HelpArguments {
    std::vector<std::string> words;
    const CLI::App* root = nullptr;

    void add_to(CLI::App& command) {
        root = command.get_parent();
        command.add_option("COMMAND", words, "a command, with its subcommand; without one, all commands are shown");
    }
};

Result<ExitCode> run_help(const GatewayArguments& /*gateway*/, const HelpArguments& arguments) {
    const CLI::App* command = arguments.root;
    auto name = command->get_name();
    for (const auto& word : arguments.words) {
        const auto* const found = find_command(*command, word);
        if (found == nullptr) return invalid("{}", unknown_word(*command, word));
        command = found;
        name += " " + word;
    }
    return print(command->get_formatter()->make_help(command, name, CLI::AppFormatMode::Normal));
}

}  // namespace

void add_help_command(CommandTree& tree) {
    auto& command = tree.add(tree.app(), "help", "Show what a command takes", run_help);
    add_examples(command, {"headgate help", "headgate help flush", "headgate help operations list"});
}

}  // namespace headgate::cli
