// The arguments that commands share, as text from the command line and as the values they stand for. An error names the
// argument and the rule: `--destination-port: 70000 is above 65535`.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "headgate/flow_query.h"
#include "headgate/result.h"

#include "cli/flow_writer.h"
#include "flow/filter_fields.h"

namespace CLI {
class App;
}

namespace headgate::cli {

/// FILTER: which flows, by source, destination and protocol.
struct TupleArguments {
    std::array<std::optional<std::string>, kFilterFields.size()> parts;  ///< in the order of kFilterFields
    std::vector<std::string> protocols;
    std::vector<std::string> filters;

    void add_to(CLI::App& command);

    [[nodiscard]] bool given() const { return has_single() || !filters.empty(); }

    /// Whether there are arguments such as --source, which are one filter together.
    [[nodiscard]] bool has_single() const;

    /// None where none is given.
    [[nodiscard]] Result<std::vector<FlowFilter>> read() const;
};

/// FILTER and what stands beside it.
struct FilterArguments {
    TupleArguments tuple;
    bool all = false;
    std::optional<std::string> minimum_age, state, mark, zone, minimum_bytes, minimum_packets, match;
    bool both_directions = false;

    void add_to(CLI::App& command);

    /// Whether any of them was given.
    [[nodiscard]] bool given() const;
    [[nodiscard]] Result<FlowQuery> query() const;
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
