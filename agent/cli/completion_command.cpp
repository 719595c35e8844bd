#include "cli/completion_command.h"

#include <unistd.h>

#include <iterator>
#include <span>

#include "cli/completion.h"
#include "cli/completion_scripts.h"
#include "cli/output_stream.h"
#include "config/printable.h"
#include "flow/text.h"

namespace headgate::cli {
namespace {

std::string_view paths_text(ValueHint::Paths paths) {
    switch (paths) {
        case ValueHint::Paths::None:
            return "words";
        case ValueHint::Paths::Files:
            return "files";
        case ValueHint::Paths::Folders:
            return "folders";
    }
    return "";
}

}  // namespace

Result<ExitCode> run_completion_command(const CompletionArguments& arguments) {
    OutputStream out{STDOUT_FILENO};
    if (arguments.shell == "bash") {
        out.buffer().append(bash_completion());
    } else if (arguments.shell == "zsh") {
        out.buffer().append(zsh_completion());
    } else {
        return invalid("SHELL: \"{}\" is neither bash nor zsh", arguments.shell);
    }
    return out.flush().map([] { return ExitCode::Done; });
}

Result<ExitCode> run_candidates_command(const CandidatesArguments& arguments) {
    const auto position = arguments.empty() ? std::nullopt : parse_unsigned<std::size_t>(arguments.front());
    if (!position) return invalid("POSITION: not the number of a word");
    const auto completion = complete(describe_command_line(), std::span{arguments}.subspan(1), *position);
    OutputStream out{STDOUT_FILENO};
    const auto to = std::back_inserter(out.buffer());
    fmt::format_to(to, "{}\n", paths_text(completion.paths));
    for (const auto& [word, meaning] : completion.candidates)
        fmt::format_to(to, "{}{}{}\n", word, meaning.empty() ? "" : "\t", config::to_one_line(meaning));
    return out.flush().map([] { return ExitCode::Done; });
}

}  // namespace headgate::cli
