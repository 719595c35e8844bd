// SPDX-License-Identifier: GPL-2.0-or-later
#include <iterator>
#include <span>

#include <CLI/App.hpp>

#include "base/printable.h"
#include "base/text.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/completion_scripts.h"

namespace headgate::cli {
namespace {

struct CompletionArguments {
    std::string shell;

    void add_to(CLI::App& command) { command.add_option("SHELL", shell, "bash or zsh")->required(); }
};

Result<ExitCode> run_completion(const GatewayArguments& /*gateway*/, const CompletionArguments& arguments) {
    if (arguments.shell == "bash") return print(bash_completion());
    if (arguments.shell == "zsh") return print(zsh_completion());
    return invalid("SHELL: \"{}\" is neither bash nor zsh", arguments.shell);
}

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

struct CandidatesArguments {
    const CLI::App* command = nullptr;

    /// The words belong to the command line to complete; CLI11 must not parse them as arguments of this command.
    void add_to(CLI::App& candidates) { command = candidates.fallthrough(false)->prefix_command()->group(""); }
};

/// Called by the completion scripts with the position of the word to complete and all words of the command line. Prints
/// `words`, `files` or `folders`, which is to be offered if no candidate fits, then one line per candidate: the word, a
/// tab, and its meaning.
Result<ExitCode> run_candidates(const GatewayArguments& /*gateway*/, const CandidatesArguments& arguments) {
    const auto asked = arguments.command->remaining();
    const auto position = asked.empty() ? std::nullopt : parse_unsigned<std::size_t>(asked.front());
    if (!position) return invalid("POSITION: not the number of a word");
    const auto completion = complete(describe_command_line(), std::span{asked}.subspan(1), *position);
    std::string answer{paths_text(completion.paths)};
    for (const auto& [word, meaning] : completion.candidates)
        answer += fmt::format("\n{}{}{}", word, meaning.empty() ? "" : "\t", to_one_line(meaning));
    return print(answer + "\n");
}

}  // namespace

void add_completion_commands(CommandTree& tree) {
    add_examples(tree.add(tree.app(), "completion", "Print the completion script of a shell", run_completion),
                 {"headgate completion bash > /etc/bash_completion.d/headgate"});
    tree.add(tree.app(), "candidates", "What those scripts ask for", run_candidates);
}

}  // namespace headgate::cli
