// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "daemon/agent.h"

namespace headgate::cli {

void add_agent_command(CommandTree& tree) {
    auto& command = tree.add(
        tree.app(), "agent", "Run the daemon, in the foreground, until SIGTERM",
        [](const GatewayArguments& gateway) { return done(daemon::Agent::run([&] { return gateway.load(); })); });
    add_examples(command, {"headgate agent --config /etc/headgate/headgate.yaml"});
}

}  // namespace headgate::cli
