// SPDX-License-Identifier: GPL-2.0-or-later
// The tree of headgate's commands and their arguments. Each command adds itself (commands.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "headgate/result.h"

#include "cli/exit_code.h"
#include "cli/gateway_arguments.h"
#include "cli/writer.h"

namespace headgate::cli {

class CommandTree {
  public:
    CommandTree();

    /// The root command, `headgate`.
    [[nodiscard]] CLI::App& app() noexcept { return app_; }

    /// Adds a command that has subcommands.
    CLI::App& add_group(const std::string& name, const std::string& purpose);

    /// Adds a command that executes `run`, which is called after the whole command line has been parsed.
    CLI::App& add(CLI::App& parent, const std::string& name, const std::string& purpose,
                  std::function<Result<ExitCode>(const GatewayArguments&)> run);

    /// Likewise, with arguments that add themselves to the command.
    template <typename Arguments>
    CLI::App& add(CLI::App& parent, const std::string& name, const std::string& purpose,
                  Result<ExitCode> (*run)(const GatewayArguments&, const Arguments&)) {
        const auto arguments = std::make_shared<Arguments>();
        CLI::App& command =
            add(parent, name, purpose, [=](const GatewayArguments& gateway) { return run(gateway, *arguments); });
        arguments->add_to(command);
        return command;
    }

    /// Likewise, with output in the format of the arguments' member `output`. An unknown format is an error before
    /// `run` is called.
    template <typename Arguments>
    CLI::App& add(CLI::App& parent, const std::string& name, const std::string& purpose,
                  Result<ExitCode> (*run)(const GatewayArguments&, const Arguments&, Writer&)) {
        const auto arguments = std::make_shared<Arguments>();
        CLI::App& command = add(parent, name, purpose, [=](const GatewayArguments& gateway) -> Result<ExitCode> {
            ASSIGN_OR_RETURN(const auto format, arguments->output.format());
            Writer writer{format};
            return run(gateway, *arguments, writer);
        });
        arguments->add_to(command);
        return command;
    }

    /// Runs the command that was parsed.
    [[nodiscard]] Result<ExitCode> run_chosen() const { return chosen_(gateway_); }

  private:
    CLI::App app_;
    GatewayArguments gateway_;
    std::function<Result<ExitCode>(const GatewayArguments&)> chosen_;
};

}  // namespace headgate::cli
