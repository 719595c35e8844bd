// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/gateway_arguments.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "cli/arguments.h"
#include "cli/terminal.h"
#include "conntrack/expiry/flow_expiry.h"
#include "conntrack/walk/hash_walk.h"
#include "gateway/local_gateway.h"
#include "http/client/agent_gateway.h"
#include "sessions/ssh_sessions.h"

namespace headgate::cli {
namespace {

constexpr const char* kSocketVariable = "HEADGATE_SOCKET";

std::optional<std::string> environment(const char* name) {
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here modifies it
    return value != nullptr && *value != '\0' ? std::optional<std::string>{value} : std::nullopt;
}

std::string user_name(uid_t uid) {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    const bool known = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
    return known ? entry.pw_name : "";
}

std::unique_ptr<gateway::LocalGateway> in_this_process(config::Configuration configuration) {
    return std::make_unique<gateway::LocalGateway>(
        std::move(configuration), flowlog::StandardOutput::ForOthers, warn,
        conntrack::FastPaths{std::make_shared<conntrack::HashWalk>(conntrack::kCommandWalksFrom),
                             std::make_shared<conntrack::FlowExpiry>(conntrack::kCommandExpiresFrom, nullptr, warn)});
}

Result<std::filesystem::path> absolute(std::string_view argument, const std::string& path) {
    if (path.empty()) return invalid("{}: the name is empty", argument);
    return std::filesystem::absolute(path);
}

/// One writable folder suffices: logs that the configuration does not place elsewhere are kept there, too.
Result<void> keep_all_in(const std::filesystem::path& folder, config::Configuration& configuration) {
    ASSIGN_OR_RETURN(const auto usual, config::parse_configuration("", "the defaults"));
    if (configuration.audit_log == usual.audit_log) configuration.audit_log = folder / usual.audit_log.filename();
    if (configuration.flow_log.sinks != usual.flow_log.sinks) return {};
    for (auto& sink : configuration.flow_log.sinks)
        if (sink.file) sink.file = folder / sink.file->filename();
    return {};
}

}  // namespace

void GatewayArguments::add_to(CLI::App& command) {
    OptionGroup anywhere{command, "Anywhere"};
    anywhere.add("--config", "FILE", configuration,
                 fmt::format("the configuration, in place of {}", config::kDefaultFile));
    anywhere.add("--socket", "PATH", socket, "the agent's socket, in place of the configuration's");
    anywhere.add("--state-dir", "DIR", state_dir,
                 "where operations are kept, in place of the configuration's, and logs that it has not put elsewhere; "
                 "without --socket no agent is asked");
}

Result<config::Configuration> GatewayArguments::load() const {
    ASSIGN_OR_RETURN(auto found, read());
    RETURN_IF_ERROR(found.verdict);
    return std::move(found.configuration);
}

Result<config::PartialConfiguration> GatewayArguments::read() const {
    if (configuration && configuration->empty()) return invalid("--config: the name of the file is empty");
    auto found = configuration ? config::read_configuration(*configuration, config::WhenMissing::Fail)
                               : config::read_configuration(config::kDefaultFile, config::WhenMissing::UseDefaults);
    auto& loaded = found.configuration;
    if (state_dir) {
        ASSIGN_OR_RETURN(auto path, absolute("--state-dir", *state_dir));
        loaded.state_dir = std::move(path);
        RETURN_IF_ERROR(keep_all_in(loaded.state_dir, loaded));
    }
    if (const auto named = socket ? socket : environment(kSocketVariable)) {
        ASSIGN_OR_RETURN(auto path, absolute("--socket", *named));
        loaded.http.socket = std::move(path);
    }
    return found;
}

Result<std::unique_ptr<gateway::Gateway>> GatewayArguments::open(const EndpointName& endpoint) const {
    if (endpoint.network_namespace) return open_here();
    ASSIGN_OR_RETURN(auto loaded, load());
    auto agent = reach_agent(loaded.http.socket);
    if (!agent || *agent) return agent;
    return in_this_process(std::move(loaded));
}

Result<std::unique_ptr<gateway::Gateway>> GatewayArguments::open_history() const {
    ASSIGN_OR_RETURN(auto loaded, load());
    auto agent = reach_agent(loaded.http.socket);
    if (!agent || *agent) return agent;
    auto local = in_this_process(std::move(loaded));
    RETURN_IF_ERROR(local->operations().open_store());
    if (auto recovered = local->operations().recover_interrupted(); !recovered) warn(recovered.error().message);
    return local;
}

Result<std::unique_ptr<gateway::Gateway>> GatewayArguments::open_here() const {
    return load().map(in_this_process);
}

Result<std::unique_ptr<gateway::Gateway>> GatewayArguments::reach_agent(const std::filesystem::path& at) const {
    if (state_dir && !socket && !environment(kSocketVariable)) return nullptr;
    auto agent = http::AgentGateway::connect(at);
    if (agent) return agent;
    const auto kind = agent.error().kind;
    const bool none = kind == ErrorKind::Missing || kind == ErrorKind::Disconnected;
    if (!none) return agent;
    if (socket)
        return failed("--socket: no agent answers at {}; without --socket, the command does the work itself", *socket);
    if (environment(kSocketVariable)) {
        warn(fmt::format("{}: no agent answers at {}; the command does the work itself", kSocketVariable, at.native()));
    }
    return nullptr;
}

std::string GatewayArguments::describe(const Endpoint& endpoint) const {
    constexpr std::string_view kNamespace = "network namespace";
    if (!endpoint.network_namespace.empty()) return fmt::format("{} {}", kNamespace, endpoint.network_namespace);
    auto named = fmt::format("firewall {}, availability zone {}", endpoint.firewall, endpoint.availability_zone);
    const auto loaded = load();
    if (!loaded) return named;
    const auto found = config::find_endpoint(*loaded, endpoint.firewall, endpoint.availability_zone);
    if (!found) return named;
    const auto& netns = found->endpoint->netns;
    return netns ? fmt::format("{}, {} {}", named, kNamespace, *netns) : fmt::format("{}, own {}", named, kNamespace);
}

void EndpointArguments::add_to(CLI::App& command) {
    OptionGroup group{command, "ENDPOINT"};
    group.add("--firewall", "NAME", firewall, "firewall, by name; may be left out where there is one");
    group.add("--availability-zone", "AZ", availability_zone,
              "availability zone of the firewall; may be left out where there is one");
    group.add("--netns", "NAME", network_namespace,
              "network namespace, for a one-off run: a name under /run/netns, or a path");
}

bool is_path(std::string_view policy) {
    return policy.find('/') != std::string_view::npos;
}

Caller this_caller() {
    Caller caller;
    caller.face = "cli";
    caller.uid = ::getuid();
    caller.user = user_name(*caller.uid);
    caller.sudo_user = environment("SUDO_USER").value_or("");
    std::ranges::replace_if(
        caller.sudo_user, [](char c) { return c <= ' ' || c > '~'; }, '?');
    if (const auto session = sessions::search_own_session()) caller.source_address = to_string(session->remote);
    return caller;
}

Error about_argument(Error error) {
    constexpr std::array kParts = {"firewall", "availability-zone", "netns", "zone", "stream-exception-policy"};
    const std::string_view begin = std::string_view{error.message}.substr(0, error.message.find(':'));
    if (std::ranges::find(kParts, begin) != kParts.end()) error.message.insert(0, "--");
    return error;
}

}  // namespace headgate::cli
