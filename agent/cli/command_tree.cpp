// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_tree.h"

#include "cli/command_description.h"
#include "cli/commands.h"

namespace headgate::cli {

CommandTree::CommandTree()
    : app_{"Flow management for Linux gateways: capture and flush the flows of the kernel's connection tracking.",
           "headgate"} {
    app_.require_subcommand(1);
    app_.fallthrough();  // the root's options are also accepted after a subcommand
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

CommandDescription describe_command_line() {
    return describe(CommandTree{}.app());
}

}  // namespace headgate::cli
