// `headgate log`: flows that have ended, from the flow log's file or as the agent learns of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "cli/gateway_arguments.h"

namespace headgate::cli {

struct LogArguments {
    GatewayArguments gateway;
    TupleArguments filter;
    OutputArguments output;
    std::vector<std::string> reasons;
    std::optional<std::string> firewall, lines, file;
    bool follow = false;

    void add_to(CLI::App& command);
};

[[nodiscard]] Result<ExitCode> run_log_command(const LogArguments& arguments);

}  // namespace headgate::cli
