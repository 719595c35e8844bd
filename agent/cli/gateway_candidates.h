// What there is on this gateway to choose from. A shell asks at a key of the keyboard: what cannot be found out is not
// offered, without an error, and nothing is changed.
#pragma once

#include "cli/command_description.h"

namespace headgate::cli {

[[nodiscard]] Candidates policy_candidates(const GatewayArguments& gateway);
[[nodiscard]] Candidates firewall_candidates(const GatewayArguments& gateway);
[[nodiscard]] Candidates zone_candidates(const GatewayArguments& gateway);
[[nodiscard]] Candidates namespace_candidates(const GatewayArguments& gateway);

/// The latest that an agent knows. Without an agent there are none: to open the store would settle what was cut short.
[[nodiscard]] Candidates operation_candidates(const GatewayArguments& gateway);

}  // namespace headgate::cli
