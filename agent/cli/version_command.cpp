// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "gateway/version.h"

namespace headgate::cli {

void add_version_command(CommandTree& tree) {
    tree.add(tree.app(), "version", "Show headgate's version",
             [](const GatewayArguments&) { return print(fmt::format("headgate {}\n", gateway::kVersion)); });
}

}  // namespace headgate::cli
