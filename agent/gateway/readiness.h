// SPDX-License-Identifier: GPL-2.0-or-later
// Readiness checks of all endpoints.
#pragma once

#include <string>
#include <vector>

#include "gateway/endpoints.h"
#include "gateway/managed_gateway.h"

namespace headgate::gateway {

/// For each endpoint: the flow table can be read, the kernel records what is needed, and the configured policy is in
/// force. Changes nothing.
[[nodiscard]] std::vector<Finding> endpoint_findings(const Endpoints& endpoints);

/// What a finding has of a check: empty where it passed.
[[nodiscard]] std::string fault_of(const Result<void>& checked);

}  // namespace headgate::gateway
