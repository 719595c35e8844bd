// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_tree.h"

#include <array>
#include <memory>
#include <span>

#include "cli/command_description.h"
#include "cli/commands.h"
#include "cli/help_formatter.h"
#include "cli/terminal.h"

namespace headgate::cli {
namespace {

constexpr std::array<std::string_view, 3> kOverviewExamples = {
    "headgate capture -s 10.20.0.0/16 --dport https   # which flows match?",
    "headgate flush -s 10.20.0.7 -p tcp --dry-run     # what would a flush end?",
    "headgate log --follow --reason flushed           # which flows are ended now?",
};

std::string examples(std::span<const std::string_view> lines) {
    std::string text = "Examples:";
    for (const auto line : lines)
        text.append("\n  ").append(line);
    return text;
}

}  // namespace

CommandTree::CommandTree()
    : app_{"Flow management for Linux gateways: capture and flush the flows of the kernel's connection tracking.",
           "headgate"} {
    app_.formatter(std::make_shared<HelpFormatter>(stdout_width()));
    app_.require_subcommand(1);
    app_.fallthrough();  // the root's options are also accepted after a subcommand
    app_.footer(examples(kOverviewExamples));
    app_.set_version_flag("--version", version_text(), "Print headgate's version and exit");
    gateway_.add_to(app_);
    for (const auto add_command : kCommands)
        add_command(*this);
}

CLI::App& CommandTree::add_group(const std::string& name, const std::string& purpose) {
    CLI::App& group = *app_.add_subcommand(name, purpose);
    group.require_subcommand(1);
    return group;
}

CLI::App& CommandTree::add(CLI::App& parent, const std::string& name, const std::string& purpose,
                           std::function<Result<ExitCode>(const GatewayArguments&)> run) {
    CLI::App& command = *parent.add_subcommand(name, purpose);
    command.callback([this, run = std::move(run)] { chosen_ = run; });
    return command;
}

std::string CommandTree::overview() const {
    std::string names;
    for (const auto& each : describe(app_).commands)
        names.append(names.empty() ? "" : ", ").append(each.name);
    return fmt::format("{}\n\n{}\n\nCommands: {}\n\"headgate help COMMAND\" shows what a command takes.\n",
                       app_.get_description(), examples(kOverviewExamples), names);
}

void add_examples(CLI::App& command, std::initializer_list<std::string_view> lines) {
    command.footer(examples({lines.begin(), lines.size()}));
}

CommandDescription describe_command_line() {
    return describe(CommandTree{}.app());
}

}  // namespace headgate::cli
