#include <unistd.h>

#include <set>

#include "cli/commands.h"
#include "cli/configuration_manual.h"
#include "cli/output_stream.h"
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

Result<ExitCode> print(std::string_view text) {
    OutputStream out{STDOUT_FILENO};
    out.buffer().append(text);
    return out.flush().map([] { return ExitCode::Done; });
}

std::string reference(bool of_credentials) {
    return of_credentials ? http::access::credentials_reference() : config::configuration_reference();
}

std::string example(bool of_credentials) {
    return of_credentials ? http::access::credentials_example() : config::configuration_example();
}

std::string counted(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string files_read(const config::Configuration& configuration) {
    std::string names;
    for (const auto& file : configuration.files)
        names += (names.empty() ? "" : ", ") + file.native();
    return names.empty() ? "no configuration file, defaults alone" : names;
}

std::string summary(const config::Configuration& configuration) {
    std::size_t endpoints = 0;
    for (const auto& firewall : configuration.firewalls)
        endpoints += firewall.endpoints.size();
    return fmt::format("{}: {}, {}, {}, {}, stream exception policy {}\n", files_read(configuration),
                       counted(configuration.firewalls.size(), "firewall"), counted(endpoints, "endpoint"),
                       counted(configuration.protected_filters.size(), "protected filter"),
                       counted(configuration.http.listeners.size(), "HTTP listener"),
                       configuration.stream_exception_policy);
}

/// A policy's file may come after the configuration that names it, so that this is no error of the configuration.
void warn_of_unknown_policies(const config::Configuration& configuration) {
    std::set<std::string> names;
    for (const auto& firewall : configuration.firewalls) {
        for (const auto& endpoint : firewall.endpoints) {
            if (auto name = config::policy_to_keep(configuration, endpoint)) names.insert(std::move(*name));
        }
    }
    for (const auto& name : names) {
        const auto policy = midstream::find_policy(name, midstream::policy_folders());
        if (!policy) tell(fmt::format("warning: stream_exception_policy: {}", policy.error().message));
    }
}

void warn_of(std::string_view setting, const Result<void>& checked) {
    if (!checked) tell(fmt::format("warning: {}: {}", setting, checked.error().message));
}

/// Files of others, which may come after the configuration as well; the agent does not start without them.
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

}  // namespace

Result<ExitCode> run_check_config_command(const CheckConfigArguments& arguments) {
    if (arguments.print_reference) return print(reference(arguments.credentials));
    if (arguments.print_example) return print(example(arguments.credentials));
    if (arguments.print_manual) return print(configuration_manual());
    if (arguments.credentials) return invalid("--credentials stands beside --print-reference or --print-example");
    const auto configuration = arguments.gateway.load();
    if (!configuration) {
        // As they are, so that an editor finds FILE:LINE in front.
        write_to_stderr(configuration.error().message + "\n");
        return ExitCode::Usage;
    }
    warn_of_unknown_policies(*configuration);
    warn_of_unusable_files(configuration->http);
    return print(summary(*configuration));
}

}  // namespace headgate::cli
