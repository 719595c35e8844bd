// SPDX-License-Identifier: GPL-2.0-or-later
// Names on this gateway that a shell can offer. They are looked up at every Tab: unreadable sources are left out
// without an error, and nothing is changed.
#pragma once

#include "cli/command_description.h"

namespace headgate::cli {

[[nodiscard]] Candidates policy_candidates(const GatewayArguments& gateway);
[[nodiscard]] Candidates firewall_candidates(const GatewayArguments& gateway);
[[nodiscard]] Candidates zone_candidates(const GatewayArguments& gateway);
[[nodiscard]] Candidates namespace_candidates(const GatewayArguments& gateway);

/// The latest operations of the agent. Empty without an agent, because opening the store would change the recorded
/// state of interrupted operations.
[[nodiscard]] Candidates operation_candidates(const GatewayArguments& gateway);

}  // namespace headgate::cli
