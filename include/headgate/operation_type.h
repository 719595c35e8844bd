// SPDX-License-Identifier: GPL-2.0-or-later
// The types of operations, and what is so of every operation of a type.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "headgate/flow_query.h"
#include "headgate/names.h"

namespace headgate {

enum class OperationType : std::uint8_t { Capture, Flush, Rematch };
template <>
inline constexpr auto kNames<OperationType> = name_list("FLOW_CAPTURE", "FLOW_FLUSH", "FLOW_REMATCH");

/// Callers ask for the fact that they need and never compare types. So a new type is a name above, a row below, and a
/// file with its work (operations/operation_work.h).
struct OperationKind {
    std::string_view verb;      ///< for people, the audit trail and metrics
    StateScope default_states;  ///< the states in scope if the request names none

    /// Unless it is a dry run. Takes the role operator and a journal on disk; every flow must be requested explicitly.
    bool changes_flows;
    bool gives_way;          ///< when it takes long, to an operation that does not give way and waits for the endpoint
    bool has_flush_options;  ///< of the members of a request, those about how flows are ended
    bool has_outcomes;       ///< its flows say what became of them
    bool has_early_flows;    ///< its flows can be read while it runs

    /// Its flows are judged by a ruleset. Takes the role operator: judging costs the gateway some of its time.
    bool has_verdicts;
    bool is_in_aws_api;  ///< unless it is a dry run
};

/// In the order of OperationType.
inline constexpr std::array kOperationKinds{
    OperationKind{
        .verb = "capture",
        .default_states = StateScope::Active,
        .changes_flows = false,
        .gives_way = true,
        .has_flush_options = false,
        .has_outcomes = false,
        .has_early_flows = true,
        .has_verdicts = false,
        .is_in_aws_api = true,
    },
    OperationKind{
        .verb = "flush",
        // Conntrack's state may be wrong, and a flow that it calls closed continues as long as packets renew it.
        .default_states = StateScope::Any,
        .changes_flows = true,
        .gives_way = false,
        .has_flush_options = true,
        .has_outcomes = true,
        .has_early_flows = false,
        .has_verdicts = false,
        .is_in_aws_api = true,
    },
    OperationKind{
        .verb = "rematch",
        .default_states = StateScope::Active,
        .changes_flows = false,
        .gives_way = true,
        .has_flush_options = false,
        .has_outcomes = false,
        .has_early_flows = true,
        .has_verdicts = true,
        .is_in_aws_api = false,
    },
};
static_assert(kOperationKinds.size() == kNames<OperationType>.size());

[[nodiscard]] constexpr const OperationKind& kind_of(OperationType type) {
    return kOperationKinds[static_cast<std::size_t>(type)];
}

/// For parsing with find_name().
inline constexpr auto kOperationVerbs = [] {
    std::array<std::string_view, kOperationKinds.size()> verbs;
    for (std::size_t i = 0; i < verbs.size(); ++i)
        verbs[i] = kOperationKinds[i].verb;
    return verbs;
}();

}  // namespace headgate
