// Whether each endpoint of a configuration is as it must be for headgate to do its work there.
#pragma once

#include <vector>

#include "config/configuration.h"
#include "gateway/managed_gateway.h"

namespace headgate::gateway {

/// For each endpoint: its flow table can be read, the kernel records what is needed, and the configured policy is in
/// force. Changes nothing.
[[nodiscard]] std::vector<Finding> endpoint_findings(const config::Configuration& configuration);

}  // namespace headgate::gateway
