// SPDX-License-Identifier: GPL-2.0-or-later
// Flow filters: select the flows of an operation.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/address.h"
#include "headgate/flow.h"
#include "headgate/protocol.h"
#include "headgate/result.h"

namespace headgate {

/// One filter of an operation's scope. A flow matches if all given parts match; an absent part matches anything.
struct FlowFilter {
    std::optional<Prefix> source;
    std::optional<Prefix> destination;
    std::optional<PortRange> source_port;  ///< both ends included; flows without ports do not match
    std::optional<PortRange> destination_port;
    std::optional<Prefix> translated_source;  ///< of the addresses after NAT, for any MatchSide
    std::optional<Prefix> translated_destination;
    std::vector<Protocol> protocols;  ///< empty: any

    /// `tuple`: what the other parts look at; `translated`: the same flow after NAT. Does not allocate: called for each
    /// row of the flow table.
    [[nodiscard]] bool matches(const FlowTuple& tuple, const FlowTuple& translated) const noexcept;

    [[nodiscard]] bool matches(const Flow& flow) const noexcept { return matches(flow.original, translated(flow)); }

    /// Whether it can match a flow with this tuple, whatever its addresses after NAT.
    [[nodiscard]] bool may_match(const FlowTuple& tuple) const noexcept;

    /// The family of its addresses; absent if it has none.
    [[nodiscard]] std::optional<Family> family() const noexcept;

    /// Whether no part is given.
    [[nodiscard]] bool matches_everything() const { return *this == FlowFilter{}; }

    friend bool operator==(const FlowFilter&, const FlowFilter&) = default;
};

/// Checks rules across parts: all addresses must be of the same family, which NAT never changes.
[[nodiscard]] Result<FlowFilter> validated(FlowFilter filter);

/// Parses `source=10.0.1.0/24,destination-port=80:443,protocol=tcp`; `protocol` may be repeated.
/// An error names the key and the rule: `destination-port: 70000 is above 65535`.
[[nodiscard]] Result<FlowFilter> parse_flow_filter(std::string_view text);

/// Inverse of parse_flow_filter(); `all` for a filter without parts.
[[nodiscard]] std::string to_string(const FlowFilter& filter);

}  // namespace headgate
