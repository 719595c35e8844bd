// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of a flow filter that have one value, in a table that defines the grammar of `--filter`, the command line's
// options and the members of a JSON filter. Protocols, of which a filter can have several, are not in it. Thread-safe.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "headgate/flow_filter.h"
#include "headgate/result.h"

namespace headgate {

struct FilterField {
    std::string_view key;           ///< `source-port`: in the grammar, and as an option after `--`
    std::string_view short_option;  ///< of conntrack(8) and iptables(8), which mean the same by it; empty: none
    std::string_view type;          ///< the value's placeholder in the help
    std::string_view help;

    /// Parses the value and sets the part; ANY leaves a port range absent.
    Result<void> (*parse)(FlowFilter& filter, std::string_view text);

    /// Prints the value in the form that parse() accepts; empty if the part is absent.
    std::string (*print)(const FlowFilter& filter);

    [[nodiscard]] bool is_port() const { return key.ends_with("-port"); }

    /// The name of the member in JSON: `source_port`.
    [[nodiscard]] std::string member() const;
};

/// In the order in which filters are printed.
extern const std::array<FilterField, 6> kFilterFields;

/// The keys, each with the prefix, as a list in prose: `source, destination, ...`.
[[nodiscard]] std::string filter_keys(std::string_view prefix);

}  // namespace headgate
