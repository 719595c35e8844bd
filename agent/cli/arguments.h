// The arguments that commands share, as text from the command line and as the values they stand for. An error names the
// argument and the rule: `--destination-port: 70000 is above 65535`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "cli/flow_writer.h"
#include "netlink/network_namespace.h"

namespace CLI {
class App;
}

namespace headgate::cli {

/// FILTER and what stands beside it.
struct FilterArguments {
    std::optional<std::string> source, destination, source_port, destination_port;
    std::vector<std::string> protocols;
    std::vector<std::string> filters;
    bool all = false;
    std::optional<std::string> minimum_age, state, mark, zone, minimum_bytes, match;
    bool both_directions = false;

    void add_to(CLI::App& command);

    /// Whether any of them was given.
    [[nodiscard]] bool given() const;
    [[nodiscard]] Result<FlowQuery> query() const;
};

/// ENDPOINT: which flow table.
struct EndpointArguments {
    std::optional<std::string> firewall, availability_zone, network_namespace;

    void add_to(CLI::App& command);

    [[nodiscard]] Result<Endpoint> endpoint() const;
    [[nodiscard]] Result<std::unique_ptr<FlowTable>> open_table() const;
    [[nodiscard]] Result<std::unique_ptr<Ruleset>> open_ruleset() const;

  private:
    [[nodiscard]] Result<netlink::NetworkNamespace> open_namespace() const;
};

/// OUTPUT.
struct OutputArguments {
    std::optional<std::string> output;
    bool json = false;

    void add_to(CLI::App& command);

    /// A table on a terminal, JSON elsewhere, unless said otherwise.
    [[nodiscard]] Result<OutputFormat> format() const;
};

/// A whole number from 0 on, such as the value of --max-flows.
[[nodiscard]] Result<std::uint64_t> parse_count(std::string_view argument, const std::string& text);

}  // namespace headgate::cli
