// SPDX-License-Identifier: GPL-2.0-or-later
// Selects ended flows: for the sinks, for clients that read what the agent remembers, and in a log file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "headgate/ended_flow.h"
#include "headgate/flow_filter.h"

#include "config/configuration.h"
#include "flowlog/record_reader.h"

namespace headgate::flowlog {

/// A flow matches if all given conditions hold; an absent or empty one holds for every flow.
struct EndedFlowFilter {
    /// `Flushed` includes the flows that an interrupted operation was ending: it is uncertain what ended those.
    std::vector<EndReason> reasons;
    std::vector<FlowFilter> filters;  ///< any of these
    std::optional<std::vector<std::string>> firewalls;
    std::optional<Timestamp> since;           ///< ended then or later
    std::optional<Timestamp> until;           ///< ended then or earlier
    std::optional<std::string> user;          ///< who requested the operation that ended it, or the program that did
    std::optional<std::string> operation_id;  ///< or its first characters, in lower case

    /// Does not allocate: called for each flow that ends.
    [[nodiscard]] bool matches(const EndedFlow& ended) const;

    /// The same for the record of a flow. If its time cannot be read, it matches neither `since` nor `until`.
    [[nodiscard]] bool matches(const LoggedFlow& logged) const;

    /// Whether no flow that ends from `now` on matches.
    [[nodiscard]] bool ends_before(Timestamp now) const { return until && *until < now; }

    [[nodiscard]] bool matches_everything() const { return *this == EndedFlowFilter{}; }

    friend bool operator==(const EndedFlowFilter&, const EndedFlowFilter&) = default;
};

/// What the configuration wants in the log.
[[nodiscard]] EndedFlowFilter filter_of(const config::FlowLog& settings);

}  // namespace headgate::flowlog
