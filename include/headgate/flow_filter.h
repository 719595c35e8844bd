// Flow filters: which flows an operation is about.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/address.h"
#include "headgate/flow.h"
#include "headgate/port_range.h"
#include "headgate/protocol.h"
#include "headgate/result.h"

namespace headgate {

/// One row of an operation's scope. A flow matches when every part that is given matches; an absent part matches
/// anything.
struct FlowFilter {
    std::optional<Prefix> source;
    std::optional<Prefix> destination;
    std::optional<PortRange> source_port;  ///< both ends included; a flow without ports does not match
    std::optional<PortRange> destination_port;
    std::optional<Prefix> translated_source;  ///< of the addresses after NAT, whichever the other parts look at
    std::optional<Prefix> translated_destination;
    std::vector<Protocol> protocols;  ///< none: any

    /// `tuple`: what most parts look at; `translated`: the same flow after NAT. No allocation: called for each row of
    /// the flow table.
    [[nodiscard]] bool matches(const FlowTuple& tuple, const FlowTuple& translated) const noexcept;

    [[nodiscard]] bool matches(const Flow& flow) const noexcept { return matches(flow.original, translated(flow)); }

    /// Whether it can match as far as one tuple tells: parts that look at addresses after NAT are left open.
    [[nodiscard]] bool may_match(const FlowTuple& tuple) const noexcept;

    /// Of its addresses; nothing where it has none.
    [[nodiscard]] std::optional<Family> family() const noexcept;

    /// Whether it leaves nothing out.
    [[nodiscard]] bool matches_everything() const { return *this == FlowFilter{}; }

    friend bool operator==(const FlowFilter&, const FlowFilter&) = default;
};

/// What the parts cannot say alone: all addresses must be of one family, which NAT never changes.
[[nodiscard]] Result<FlowFilter> validated(FlowFilter filter);

/// Reads `source=10.0.1.0/24,destination-port=80:443,protocol=tcp`; `protocol` may stand several times.
/// An error names the key and the rule: `destination-port: 70000 is above 65535`.
[[nodiscard]] Result<FlowFilter> parse_flow_filter(std::string_view text);

/// The same grammar back; `all` for a filter that leaves nothing out.
[[nodiscard]] std::string to_string(const FlowFilter& filter);

}  // namespace headgate
