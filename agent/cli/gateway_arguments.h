// SPDX-License-Identifier: GPL-2.0-or-later
// The arguments that select the gateway and one of its endpoints, and the identity of the caller.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "config/configuration.h"
#include "config/load.h"
#include "gateway/gateway.h"

namespace CLI {
class App;
}

namespace headgate::cli {

/// ENDPOINT: selects the flow table.
struct EndpointArguments {
    std::optional<std::string> firewall, availability_zone, network_namespace;

    void add_to(CLI::App& command);

    [[nodiscard]] EndpointName name() const { return {firewall, availability_zone, network_namespace}; }
};

/// Options valid for every command: --config, --socket, --state-dir.
struct GatewayArguments {
    std::optional<std::string> configuration, socket, state_dir;

    void add_to(CLI::App& command);

    /// Loads the file of --config, which must exist, or the default file, which need not. The other two override it.
    [[nodiscard]] Result<config::Configuration> load() const;

    /// The same, as far as the files can be read.
    [[nodiscard]] Result<config::PartialConfiguration> read() const;

    /// Returns the agent if one runs, otherwise a gateway in this process; always the latter with --netns, because an
    /// agent knows only the configured network namespaces.
    [[nodiscard]] Result<std::unique_ptr<gateway::Gateway>> open(const EndpointName& endpoint) const;

    /// As open(), for queries of past operations: without an agent, interrupted operations are recovered first.
    [[nodiscard]] Result<std::unique_ptr<gateway::Gateway>> open_history() const;

    /// A gateway in this process, whether an agent runs or not.
    [[nodiscard]] Result<std::unique_ptr<gateway::Gateway>> open_here() const;

    /// The agent at this socket. Null if none runs, or if --state-dir is given without a socket. That none answers is
    /// an error with --socket, and a warning where HEADGATE_SOCKET names the socket.
    [[nodiscard]] Result<std::unique_ptr<gateway::Gateway>> reach_agent(const std::filesystem::path& at) const;

    /// The endpoint with its network namespace, as far as this command's configuration knows it:
    /// `firewall edge, availability zone a, network namespace gw-a`.
    [[nodiscard]] std::string describe(const Endpoint& endpoint) const;
};

/// Whether a policy is given as the path of its file. This process reads such a file; an agent does not.
[[nodiscard]] bool is_path(std::string_view policy);

/// The user who runs this process.
[[nodiscard]] Caller this_caller();

/// Converts a gateway's error about a member of a request to one about the argument that set the member.
[[nodiscard]] Error about_argument(Error error);

}  // namespace headgate::cli
