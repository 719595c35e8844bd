// SPDX-License-Identifier: GPL-2.0-or-later
// The tree of headgate's commands and their arguments. Each command adds itself (commands.h).
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

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

    /// Likewise, with output as the arguments' member `output` has it. An unknown format or column is an error before
    /// `run` is called.
    template <typename Arguments>
    CLI::App& add(CLI::App& parent, const std::string& name, const std::string& purpose,
                  Result<ExitCode> (*run)(const GatewayArguments&, const Arguments&, Writer&)) {
        const auto arguments = std::make_shared<Arguments>();
        CLI::App& command = add(parent, name, purpose, [=](const GatewayArguments& gateway) -> Result<ExitCode> {
            ASSIGN_OR_RETURN(auto choice, arguments->output.choice());
            Writer writer{std::move(choice)};
            return run(gateway, *arguments, writer);
        });
        arguments->add_to(command);
        return command;
    }

    /// Runs the command that was parsed.
    [[nodiscard]] Result<ExitCode> run_chosen() const { return chosen_(gateway_); }

    /// The root's description, its commands, and three examples: for who runs headgate without a command.
    [[nodiscard]] std::string overview() const;

  private:
    CLI::App app_;
    GatewayArguments gateway_;
    std::function<Result<ExitCode>(const GatewayArguments&)> chosen_;
};

/// At the end of a command's help: command lines, each with a remark behind a `#` or without one.
void add_examples(CLI::App& command, std::initializer_list<std::string_view> lines);

}  // namespace headgate::cli
