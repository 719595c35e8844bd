#include "cli/cli.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <iterator>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/command_description.h"
#include "cli/commands.h"
#include "cli/completion_command.h"
#include "cli/log_command.h"
#include "cli/output_stream.h"
#include "cli/terminal.h"
#include "flow/text.h"
#include "gateway/version.h"

namespace headgate::cli {
namespace {

using Action = std::function<Result<ExitCode>()>;

/// The tree, with a place for what each command's arguments say and the action that was chosen.
class CommandTree {
  public:
    CommandTree() {
        app_.require_subcommand(1);
        app_.fallthrough();  // what may stand anywhere may stand behind a command, too
        gateway_.add_to(app_);
        add_capture();
        add_flush();
        add_operations();
        add_log();
        add_policy();
        add_table();
        add_agent();
        add_check_config();
        add_completion();
        add_version();
    }

    [[nodiscard]] CLI::App& app() noexcept { return app_; }
    [[nodiscard]] Result<ExitCode> run_chosen() const { return action_(); }

  private:
    void add_capture() {
        CLI::App& command = *app_.add_subcommand("capture", "Show the active flows that match a filter");
        capture_.filter.add_to(command);
        capture_.endpoint.add_to(command);
        capture_.output.add_to(command);
        command.add_flag("--explain", capture_.explain, "say on stderr how the table is searched");
        command.callback([this] { action_ = [this] { return run_capture_command(with_gateway(capture_)); }; });
    }

    void add_flush() {
        CLI::App& command = *app_.add_subcommand("flush", "End the flows that match a filter, in any state");
        flush_.filter.add_to(command);
        flush_.endpoint.add_to(command);
        flush_.output.add_to(command);
        command
            .add_option("--from-capture", flush_.from_capture,
                        "end exactly the flows of this operation, or of the file that a capture was written to")
            ->type_name("ID|FILE");
        command.add_option("--max-flows", flush_.maximum_flows, "refuse when more flows match")->type_name("N");
        command
            .add_option("--stream-exception-policy", flush_.stream_exception_policy,
                        "have this policy in force before flows are ended; it stays in force")
            ->type_name("NAME");
        command.add_flag("--require-policy", flush_.require_policy,
                         "refuse when flushed TCP flows could come back, for want of a policy");
        command.add_flag("--dry-run", flush_.dry_run, "do everything but the ending");
        command.add_flag("--include-protected", flush_.include_protected,
                         "end protected flows, too: SSH sessions, and what the configuration protects");
        command.add_flag("--yes", flush_.yes, "do not ask");
        command.add_flag("--explain", flush_.explain, "say on stderr how the table is searched");
        command.callback([this] { action_ = [this] { return run_flush_command(with_gateway(flush_)); }; });
    }

    void add_operations() {
        CLI::App& operations = *app_.add_subcommand("operations", "Look up captures and flushes of the last hours");
        operations.require_subcommand(1);
        CLI::App& list = add_operations_command(operations, "list", "Show which there are, the newest first",
                                                run_operations_list_command);
        list.add_option("--type", operations_.type, "these alone: capture or flush")->type_name("TYPE");
        list.add_option("--limit", operations_.limit, "no more than these many")->type_name("N");
        add_operation_id(add_operations_command(operations, "show", "Show one, how far it has come or how it ended",
                                                run_operations_show_command));
        add_operation_id(add_operations_command(operations, "results", "Show the flows of one again",
                                                run_operations_results_command));
    }

    CLI::App& add_operations_command(CLI::App& operations, const std::string& name, const std::string& purpose,
                                     Result<ExitCode> (*run)(const OperationsArguments&)) {
        CLI::App& command = *operations.add_subcommand(name, purpose);
        operations_.output.add_to(command);
        command.callback([this, run] { action_ = [this, run] { return run(with_gateway(operations_)); }; });
        return command;
    }

    void add_operation_id(CLI::App& command) {
        command.add_option("ID", operations_.id, "the operation's id")->required();
    }

    void add_log() {
        CLI::App& command = *app_.add_subcommand("log", "Show flows that have ended, and why");
        log_.add_to(command);
        command.callback([this] { action_ = [this] { return run_log_command(with_gateway(log_)); }; });
    }

    void add_policy() {
        CLI::App& policy = *app_.add_subcommand(
            "policy", "Decide what happens to packets in the middle of a connection that is not tracked (any more)");
        policy.require_subcommand(1);
        add_policy_command(policy, "list", "Show the policies that can be applied", run_policy_list_command);
        CLI::App& show = add_policy_command(policy, "show", "Show one policy", run_policy_show_command);
        add_policy_name(show);
        show.add_flag("--ruleset", policy_.ruleset, "as nftables is told");
        CLI::App& apply = add_policy_command(policy, "apply", "Put a policy in force", run_policy_apply_command);
        add_policy_name(apply);
        apply.add_flag("--include-protected", policy_.include_protected,
                       "even if that cuts an SSH session that is not tracked yet");
        policy_.endpoint.add_to(apply);
        policy_.endpoint.add_to(add_policy_command(
            policy, "remove", "Have no policy in force, and forget flushed flows", run_policy_remove_command));
        policy_.endpoint.add_to(add_policy_command(policy, "status", "Show which policy is in force, and what it does",
                                                   run_policy_status_command));
    }

    CLI::App& add_policy_command(CLI::App& policy, const std::string& name, const std::string& purpose,
                                 Result<ExitCode> (*run)(const PolicyArguments&)) {
        CLI::App& command = *policy.add_subcommand(name, purpose);
        policy_.output.add_to(command);
        command.callback([this, run] { action_ = [this, run] { return run(with_gateway(policy_)); }; });
        return command;
    }

    void add_policy_name(CLI::App& command) {
        command.add_option("NAME", policy_.name, "a policy's name, or the path of its file")->required();
    }

    void add_table() {
        CLI::App& command = *app_.add_subcommand("table", "Show how full the flow table is, and of what");
        table_.endpoint.add_to(command);
        table_.output.add_to(command);
        command.callback([this] { action_ = [this] { return run_table_command(with_gateway(table_)); }; });
    }

    void add_agent() {
        CLI::App& command = *app_.add_subcommand("agent", "Run the daemon, in the foreground, until SIGTERM");
        command.callback([this] { action_ = [this] { return run_agent_command(with_gateway(agent_)); }; });
    }

    void add_check_config() {
        CLI::App& command = *app_.add_subcommand("check-config", "Say whether the configuration is right");
        auto* reference = command.add_flag("--print-reference", check_config_.print_reference,
                                           "print all settings, as a page of Markdown");
        auto* example = command
                            .add_flag("--print-example", check_config_.print_example,
                                      "print a configuration file with all settings, commented out")
                            ->excludes(reference);
        auto* credentials = command.add_flag("--credentials", check_config_.credentials,
                                             "print the settings of the file of credentials instead");
        command.add_flag("--print-manual", check_config_.print_manual, "print all settings of both, as a manual page")
            ->excludes(reference, example, credentials);
        command.callback(
            [this] { action_ = [this] { return run_check_config_command(with_gateway(check_config_)); }; });
    }

    void add_completion() {
        CLI::App& completion = *app_.add_subcommand("completion", "Print the completion script of a shell");
        completion.add_option("SHELL", completion_.shell, "bash or zsh")->required();
        completion.callback([this] { action_ = [this] { return run_completion_command(completion_); }; });
        // Its words are another command line's, which is not to be parsed here.
        CLI::App& candidates = *app_.add_subcommand("candidates", "What those scripts ask for")->group("");
        candidates.fallthrough(false)->prefix_command();
        candidates.callback([this, &candidates] {
            action_ = [&candidates] { return run_candidates_command(candidates.remaining()); };
        });
    }

    void add_version() {
        CLI::App& command = *app_.add_subcommand("version", "Show headgate's version");
        command.callback([this] {
            action_ = []() -> Result<ExitCode> {
                OutputStream out{STDOUT_FILENO};
                fmt::format_to(std::back_inserter(out.buffer()), "headgate {}\n", gateway::kVersion);
                return out.flush().map([] { return ExitCode::Done; });
            };
        });
    }

    template <typename Arguments>
    [[nodiscard]] const Arguments& with_gateway(Arguments& arguments) const {
        arguments.gateway = gateway_;
        return arguments;
    }

    CLI::App app_{
        "Flow management for Linux gateways: capture and flush the flows of the kernel's connection tracking.",
        "headgate"};
    GatewayArguments gateway_;
    CaptureArguments capture_;
    FlushArguments flush_;
    OperationsArguments operations_;
    LogArguments log_;
    PolicyArguments policy_;
    TableArguments table_;
    AgentArguments agent_;
    CheckConfigArguments check_config_;
    CompletionArguments completion_;
    Action action_;
};

/// Help goes to stdout and is no error; everything else that a parser says is one line on stderr.
int report(const CLI::App& app, const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    tell(error.what());
    return static_cast<int>(ExitCode::Usage);
}

/// A configuration that is wrong has a line for each of its errors.
int report(const Error& error) {
    for (std::string_view rest = error.message; !rest.empty();)
        tell(take_until(rest, '\n'));
    return static_cast<int>(exit_code(error.kind));
}

}  // namespace

CommandDescription describe_command_line() {
    return describe(CommandTree{}.app());
}

int run(int argc, const char* const* argv) {
    // A reader that goes away is told by write(), not by a signal.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    try {
        CommandTree tree;
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
