// `headgate completion SHELL`, and the hidden `headgate candidates KIND`, which those scripts ask: what there is on
// this gateway to choose from, a line each.
#pragma once

#include <string>

#include "headgate/result.h"

#include "cli/exit_code.h"
#include "cli/gateway_arguments.h"

namespace headgate::cli {

struct CompletionArguments {
    std::string shell;
};

struct CandidatesArguments {
    std::string kind;
    GatewayArguments gateway;
};

[[nodiscard]] Result<ExitCode> run_completion_command(const CompletionArguments& arguments);
[[nodiscard]] Result<ExitCode> run_candidates_command(const CandidatesArguments& arguments);

}  // namespace headgate::cli
