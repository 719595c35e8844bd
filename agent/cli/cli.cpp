// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/cli.h"

#include <csignal>
#include <exception>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/text.h"
#include "cli/command_tree.h"
#include "cli/terminal.h"
#include "cli/unknown_word.h"

namespace headgate::cli {
namespace {

/// Help goes to stdout and is no error; every other message of the parser is one line on stderr.
int report(const CLI::App& app, const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    auto message = about_unknown_word(app);
    const bool is_incomplete = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    if (message.empty() && is_incomplete) message = about_missing_command(app);
    note(message.empty() ? error.what() : message);
    return static_cast<int>(ExitCode::Usage);
}

/// An invalid configuration yields one line per error.
int report(const Error& error) {
    for (std::string_view rest = error.message; !rest.empty();)
        note(take_until(rest, '\n'));
    return static_cast<int>(exit_code(error.kind));
}

}  // namespace

int run(int argc, const char* const* argv) {
    // write() reports a closed pipe as EPIPE instead of a signal that ends the process.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    try {
        CommandTree tree;
        if (argc < 2) {
            write_to_stderr(tree.overview());
            return static_cast<int>(ExitCode::Usage);
        }
        try {
            tree.app().parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            return report(tree.app(), error);
        }
        const auto code = tree.run_chosen();
        return code ? static_cast<int>(*code) : report(code.error());
    } catch (const std::exception& error) {
        return report(Error{ErrorKind::Failed, error.what()});
    }
}

}  // namespace headgate::cli
