// `headgate completion SHELL`, and the hidden `headgate candidates POSITION WORD...`, which those scripts ask.
#pragma once

#include <string>
#include <vector>

#include "headgate/result.h"

#include "cli/exit_code.h"

namespace headgate::cli {

struct CompletionArguments {
    std::string shell;
};

/// The position of the word to complete, and all words of the command line.
using CandidatesArguments = std::vector<std::string>;

[[nodiscard]] Result<ExitCode> run_completion_command(const CompletionArguments& arguments);

/// Writes `words`, `files` or `folders`, for what fits where no candidate does; then a line for each candidate, with a
/// tab and its meaning behind it, where there is one to tell.
[[nodiscard]] Result<ExitCode> run_candidates_command(const CandidatesArguments& arguments);

}  // namespace headgate::cli
