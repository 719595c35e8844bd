// SPDX-License-Identifier: GPL-2.0-or-later
// Readiness checks of all endpoints of a configuration.
#pragma once

#include <vector>

#include "config/configuration.h"
#include "gateway/managed_gateway.h"

namespace headgate::gateway {

/// For each endpoint: the flow table can be read, the kernel records what is needed, and the configured policy is in
/// force. Changes nothing.
[[nodiscard]] std::vector<Finding> endpoint_findings(const config::Configuration& configuration);

}  // namespace headgate::gateway
