// SPDX-License-Identifier: GPL-2.0-or-later
// The list of headgate's commands. To add one, write its file and name it here.
#pragma once

#include <array>
#include <string>

namespace headgate::cli {

class CommandTree;

void add_capture_command(CommandTree& tree);
void add_flush_command(CommandTree& tree);
void add_rematch_command(CommandTree& tree);
void add_operations_commands(CommandTree& tree);
void add_log_command(CommandTree& tree);
void add_policy_commands(CommandTree& tree);
void add_quarantine_commands(CommandTree& tree);
void add_table_command(CommandTree& tree);
void add_agent_command(CommandTree& tree);
void add_check_config_command(CommandTree& tree);
void add_completion_commands(CommandTree& tree);
void add_version_command(CommandTree& tree);
void add_help_command(CommandTree& tree);

/// `headgate 1.2.3`
[[nodiscard]] std::string version_text();

/// In the order of the help.
inline constexpr std::array kCommands = {
    add_capture_command, add_flush_command,        add_rematch_command,     add_operations_commands,
    add_log_command,     add_policy_commands,      add_quarantine_commands, add_table_command,
    add_agent_command,   add_check_config_command, add_completion_commands, add_version_command,
    add_help_command,
};

}  // namespace headgate::cli
