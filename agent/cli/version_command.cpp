// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "gateway/version.h"

namespace headgate::cli {

std::string version_text() {
    return fmt::format("headgate {}", gateway::kVersion);
}

void add_version_command(CommandTree& tree) {
    auto& command = tree.add(tree.app(), "version", "Show headgate's version",
                             [](const GatewayArguments&) { return print(version_text() + "\n"); });
    add_examples(command, {"headgate version"});
}

}  // namespace headgate::cli
