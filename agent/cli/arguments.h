// SPDX-License-Identifier: GPL-2.0-or-later
// Arguments shared by several commands: their text on the command line, and the values parsed from it. An error names
// the argument and the rule: `--destination-port: 70000 is above 65535`.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "headgate/flow_query.h"
#include "headgate/result.h"

#include "flow/filter_fields.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace headgate::cli {

/// Adds options to a command, under one heading of its help.
class OptionGroup {
  public:
    explicit OptionGroup(CLI::App& command, std::string heading = {})
        : command_(command), heading_(std::move(heading)) {}

    /// `--name VALUE`; `name` may have several, as in `-o,--output`
    void add(const std::string& name, const std::string& value, std::optional<std::string>& text,
             const std::string& purpose);

    /// Likewise; the option may be repeated.
    void add(const std::string& name, const std::string& value, std::vector<std::string>& texts,
             const std::string& purpose);

    void add_flag(const std::string& name, bool& flag, const std::string& purpose);

  private:
    CLI::Option* in_group(CLI::Option* option) const;

    CLI::App& command_;
    std::string heading_;  ///< empty: CLI11's default heading
};

/// How the flow table is searched.
struct SearchArguments {
    bool explain = false;
    bool no_fast_scan = false;

    void add_to(CLI::App& command);
};

/// FILTER: selects flows by source, destination and protocol.
struct TupleArguments {
    std::array<std::optional<std::string>, kFilterFields.size()> parts;  ///< in the order of kFilterFields
    std::vector<std::string> protocols;
    std::vector<std::string> filters;

    void add_to(CLI::App& command);

    [[nodiscard]] bool given() const { return has_single() || !filters.empty(); }

    /// Whether there are arguments such as --source, which together form one filter.
    [[nodiscard]] bool has_single() const;

    /// Empty if no filter is given.
    [[nodiscard]] Result<std::vector<FlowFilter>> read() const;
};

/// FILTER and the further conditions of a query.
struct FilterArguments {
    TupleArguments tuple;
    bool all = false;
    std::optional<std::string> minimum_age, state, mark, zone, minimum_bytes, minimum_packets, match;
    bool both_directions = false;

    void add_to(CLI::App& command);

    /// Whether any of these arguments is given.
    [[nodiscard]] bool given() const;
    [[nodiscard]] Result<FlowQuery> query() const;

    /// A query with other filters than FILTER, which must not be given, and the further conditions.
    [[nodiscard]] Result<FlowQuery> query_of(FlowQuery filters) const;

  private:
    [[nodiscard]] Result<FlowQuery> with_conditions(FlowQuery query) const;
};

/// Parses a whole number from 0 on, such as the value of --max-flows; absent if `text` is.
[[nodiscard]] Result<std::optional<std::uint64_t>> parse_count(std::string_view argument,
                                                               const std::optional<std::string>& text);

/// Parses a time such as 2026-11-21T09:30:00Z, or a duration before now, such as 5m; absent if `text` is.
[[nodiscard]] Result<std::optional<Timestamp>> parse_time(std::string_view argument,
                                                          const std::optional<std::string>& text);

}  // namespace headgate::cli
