// SPDX-License-Identifier: GPL-2.0-or-later
#include <set>

#include <CLI/App.hpp>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/flow_text.h"
#include "cli/terminal.h"
#include "config/load.h"
#include "config/settings_text.h"
#include "http/access/credentials.h"
#include "http/access/credentials_text.h"
#include "http/server/tcp_listeners.h"
#include "http/server/tls_server.h"
#include "midstream/policy_library.h"

namespace headgate::cli {
namespace {

struct CheckConfigArguments {
    bool print_reference = false;
    bool print_example = false;
    bool credentials = false;

    void add_to(CLI::App& command) {
        auto* reference =
            command.add_flag("--print-reference", print_reference, "print all settings, as a page of Markdown");
        command
            .add_flag("--print-example", print_example, "print a configuration file with all settings, commented out")
            ->excludes(reference);
        command.add_flag("--credentials", credentials, "print the settings of the file of credentials instead");
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

/// Warns only: a policy's file may be installed after the configuration that names it.
void warn_of_unknown_policies(const config::Configuration& configuration) {
    std::set<std::string> names;
    for (const auto& each : config::endpoints_of(configuration))
        if (auto name = config::policy_to_keep(configuration, *each.endpoint)) names.insert(std::move(*name));
    for (const auto& name : names) {
        const auto policy = midstream::find_policy(name, midstream::policy_folders());
        if (!policy) warn(fmt::format("stream_exception_policy: {}", policy.error().message));
    }
}

void warn_of(std::string_view setting, const Result<void>& checked) {
    if (!checked) warn(fmt::format("{}: {}", setting, checked.error().message));
}

/// Warns only: these files, too, may be installed after the configuration. The agent does not start without them.
void warn_of_unusable_files(const config::Http& http) {
    if (http.credentials) {
        warn_of("http.credentials", http::access::load_credentials(*http.credentials).map([](const auto&) {}));
    }
    for (const auto& listener : http.listeners) {
        if (listener.tls) warn_of("http.listeners", http::TlsServer::open(*listener.tls).map([](const auto&) {}));
        if (http::admission_of(http, listener)) continue;
        warn_of("http.listeners", invalid("without http.credentials, nothing listens on {} port {}",
                                          to_string(listener.address), listener.port));
    }
}

Result<ExitCode> run_check_config(const GatewayArguments& gateway, const CheckConfigArguments& arguments) {
    if (arguments.print_reference) return print(reference(arguments.credentials));
    if (arguments.print_example) return print(example(arguments.credentials));
    if (arguments.credentials) return invalid("--credentials stands beside --print-reference or --print-example");
    const auto configuration = gateway.load();
    if (!configuration) {
        // Without a prefix, so that editors find FILE:LINE at the beginning of each line.
        write_to_stderr(configuration.error().message + "\n");
        return ExitCode::Usage;
    }
    warn_of_unknown_policies(*configuration);
    warn_of_unusable_files(configuration->http);
    return print(summary(*configuration));
}

}  // namespace

void add_check_config_command(CommandTree& tree) {
    tree.add(tree.app(), "check-config", "Say whether the configuration is right", run_check_config);
}

}  // namespace headgate::cli
