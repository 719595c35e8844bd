#include <unistd.h>

#include <set>

#include "cli/commands.h"
#include "cli/output_stream.h"
#include "cli/terminal.h"
#include "config/load.h"
#include "config/settings_text.h"
#include "midstream/policy_library.h"

namespace headgate::cli {
namespace {

Result<ExitCode> print(std::string_view text) {
    OutputStream out{STDOUT_FILENO};
    out.buffer().append(text);
    return out.flush().map([] { return ExitCode::Done; });
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

}  // namespace

Result<ExitCode> run_check_config_command(const CheckConfigArguments& arguments) {
    if (arguments.print_reference) return print(config::configuration_reference());
    if (arguments.print_example) return print(config::configuration_example());
    const auto configuration = arguments.gateway.load();
    if (!configuration) {
        // As they are, so that an editor finds FILE:LINE in front.
        write_to_stderr(configuration.error().message + "\n");
        return ExitCode::Usage;
    }
    warn_of_unknown_policies(*configuration);
    return print(summary(*configuration));
}

}  // namespace headgate::cli
