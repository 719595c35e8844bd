#include "cli/commands.h"
#include "daemon/agent.h"

namespace headgate::cli {

Result<ExitCode> run_agent_command(const AgentArguments& arguments) {
    return daemon::Agent::run([&] { return arguments.gateway.load(); }).map([] { return ExitCode::Done; });
}

}  // namespace headgate::cli
