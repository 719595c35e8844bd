// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of a flow filter that have one value, each said once: the grammar of `--filter`, the command line's options
// and the members of a JSON filter are read from this table. Protocols, of which a filter can have several, are not in
// it. Thread-safe.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "headgate/flow_filter.h"
#include "headgate/result.h"

namespace headgate {

struct FilterField {
    std::string_view key;   ///< `source-port`: in the grammar, and behind `--`
    std::string_view type;  ///< what help shows in place of a value
    std::string_view help;

    /// Sets the part; it stays absent where the text says ANY.
    Result<void> (*parse)(FlowFilter& filter, std::string_view text);

    /// Its value as parse() reads it. Empty: the part is absent.
    std::string (*print)(const FlowFilter& filter);

    /// The name of its member in JSON: `source_port`.
    [[nodiscard]] std::string member() const;
};

/// In the order in which filters are printed.
extern const std::array<FilterField, 6> kFilterFields;

/// The keys with a prefix each, in a list for a sentence: `source, destination, ...`.
[[nodiscard]] std::string filter_keys(std::string_view prefix);

}  // namespace headgate
