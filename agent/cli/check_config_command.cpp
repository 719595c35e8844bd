// SPDX-License-Identifier: GPL-2.0-or-later
#include <CLI/App.hpp>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/flow_text.h"
#include "cli/terminal.h"
#include "config/settings_text.h"
#include "daemon/configuration_check.h"
#include "http/access/credentials_text.h"
#include "http/server/tcp_listener.h"
#include "http/server/tcp_listeners.h"

namespace headgate::cli {
namespace {

struct CheckConfigArguments {
    bool print_reference = false;
    bool print_example = false;
    bool credentials = false;
    bool for_reload = false;

    void add_to(CLI::App& command) {
        auto* reference =
            command.add_flag("--print-reference", print_reference, "print all settings, as a page of Markdown");
        command
            .add_flag("--print-example", print_example, "print a configuration file with all settings, commented out")
            ->excludes(reference);
        command.add_flag("--credentials", credentials, "print the settings of the file of credentials instead");
        command.add_flag("--for-reload", for_reload,
                         "accept network namespaces that are missing: an agent waits for them");
    }
};

std::string reference(bool of_credentials) {
    return of_credentials ? http::access::credentials_reference() : config::configuration_reference();
}

std::string example(bool of_credentials) {
    return of_credentials ? http::access::credentials_example() : config::configuration_example();
}

std::string files_read(const config::Configuration& configuration) {
    std::string names;
    for (const auto& file : configuration.files)
        names += (names.empty() ? "" : ", ") + file.native();
    return names.empty() ? "no configuration file, defaults alone" : names;
}

std::string summary(const config::Configuration& configuration) {
    return fmt::format("{}: {}, {}, {}, {}, stream exception policy {}\n", files_read(configuration),
                       plural(configuration.firewalls.size(), "firewall"),
                       plural(config::endpoints_of(configuration).size(), "endpoint"),
                       plural(configuration.protected_filters.size(), "protected filter"),
                       plural(configuration.http.listeners.size(), "HTTP listener"),
                       configuration.stream_exception_policy);
}

/// The agent starts without these listeners.
void warn_of_closed_listeners(const config::Http& http) {
    for (const auto& listener : http.listeners) {
        if (http::admission_of(http, listener)) continue;
        warn(fmt::format("http.listeners: without http.credentials, nothing listens on {}",
                         http::place_of(listener.address, listener.port)));
    }
}

/// Without a prefix, so that editors find FILE:LINE at the beginning of each line.
void report_faults(const Result<void>& verdict) {
    if (!verdict) write_to_stderr(verdict.error().message + "\n");
}

Result<ExitCode> run_check_config(const GatewayArguments& gateway, const CheckConfigArguments& arguments) {
    if (arguments.print_reference) return print(reference(arguments.credentials));
    if (arguments.print_example) return print(example(arguments.credentials));
    if (arguments.credentials) return invalid("--credentials: only with --print-reference or --print-example");
    ASSIGN_OR_RETURN(const auto read, gateway.read());
    const auto& [configuration, readable] = read;
    const auto prevents = arguments.for_reload ? daemon::Prevents::Reloading : daemon::Prevents::Nothing;
    const auto agent = FileIdentity::of(configuration.state_dir);
    const auto usable = daemon::verdict(daemon::check_configuration(configuration, agent), prevents);
    if (readable) warn_of_closed_listeners(configuration.http);
    report_faults(readable);
    report_faults(usable);
    if (!readable || !usable) return ExitCode::Usage;
    return print(summary(configuration));
}

}  // namespace

void add_check_config_command(CommandTree& tree) {
    auto& command = tree.add(tree.app(), "check-config", "Say whether the configuration is right", run_check_config);
    add_examples(command, {"headgate check-config", "headgate check-config --print-example > headgate.yaml"});
}

}  // namespace headgate::cli
