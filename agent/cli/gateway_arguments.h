// SPDX-License-Identifier: GPL-2.0-or-later
// The arguments that say which gateway is meant, which endpoint of it, and who is asking.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "config/configuration.h"
#include "gateway/gateway.h"

namespace CLI {
class App;
}

namespace headgate::cli {

/// ENDPOINT: which flow table.
struct EndpointArguments {
    std::optional<std::string> firewall, availability_zone, network_namespace;

    void add_to(CLI::App& command);

    [[nodiscard]] gateway::EndpointName name() const { return {firewall, availability_zone, network_namespace}; }
};

/// What may stand anywhere: --config, --socket, --state-dir.
struct GatewayArguments {
    std::optional<std::string> configuration, socket, state_dir;

    void add_to(CLI::App& command);

    /// The file that was named, which must be there, or the usual one, which need not; with the other two put in.
    [[nodiscard]] Result<config::Configuration> load() const;

    /// The agent, if one runs; otherwise this process does what it would do. An agent knows no network namespaces but
    /// the configured ones.
    [[nodiscard]] Result<std::unique_ptr<gateway::Gateway>> open(const gateway::EndpointName& endpoint) const;

    /// As open(), for somebody who asks about the past: without an agent, what was cut short is settled first.
    [[nodiscard]] Result<std::unique_ptr<gateway::Gateway>> open_history() const;

    /// This process, whether an agent runs or not.
    [[nodiscard]] Result<std::unique_ptr<gateway::Gateway>> open_here() const;

    /// The agent behind this socket. Null where no agent runs, or none is wanted.
    [[nodiscard]] Result<std::unique_ptr<gateway::Gateway>> reach_agent(const std::filesystem::path& at) const;
};

/// Whether a policy is named by the path of its file. This process reads such a file; an agent does not.
[[nodiscard]] bool is_path(std::string_view policy);

/// Who is at the command line.
[[nodiscard]] Caller this_caller();

/// What a gateway says about a part of a request, said about the argument that the part came from.
[[nodiscard]] Error about_argument(Error error);

}  // namespace headgate::cli
