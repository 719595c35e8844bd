// SPDX-License-Identifier: GPL-2.0-or-later
// Values that a shell can offer, looked up at every Tab.
#pragma once

#include <string_view>

#include "cli/command_description.h"

namespace headgate::cli {

/// What may stand behind the last `=` of a filter that was written so far: the rest of its last part, or a further one.
[[nodiscard]] Candidates filter_candidates(std::string_view written);

// Names on this gateway. Unreadable sources are left out without an error, and nothing is changed.
[[nodiscard]] Candidates policy_candidates(const GatewayArguments& gateway);
[[nodiscard]] Candidates firewall_candidates(const GatewayArguments& gateway);
[[nodiscard]] Candidates zone_candidates(const GatewayArguments& gateway);
[[nodiscard]] Candidates namespace_candidates(const GatewayArguments& gateway);

/// The latest operations of the agent. Empty without an agent, because opening the store would change the recorded
/// state of interrupted operations.
[[nodiscard]] Candidates operation_candidates(const GatewayArguments& gateway);

/// What the agent has in quarantine on its only endpoint; empty without an agent, or with several endpoints.
[[nodiscard]] Candidates quarantine_candidates(const GatewayArguments& gateway);

}  // namespace headgate::cli
