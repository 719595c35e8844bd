// SPDX-License-Identifier: GPL-2.0-or-later
// The stream exception policy of one endpoint: status, changes, and the checks before a change.
#pragma once

#include <string_view>

#include "headgate/clock.h"
#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

#include "config/configuration.h"
#include "gateway/chosen_endpoint.h"
#include "gateway/gateway.h"

namespace headgate::gateway {

/// A policy by name or file path. Refused where the configuration keeps another one in force on this endpoint, which
/// would be restored at once.
[[nodiscard]] Result<StreamExceptionPolicy> wanted_policy(const config::Configuration& configuration,
                                                          const ChosenEndpoint& endpoint, std::string_view name);

[[nodiscard]] Result<EndpointPolicy> read_policy(const ChosenEndpoint& endpoint);

/// Refused where it would cut one of the caller's own sessions, unless `include_protected` is set.
[[nodiscard]] Result<EndpointPolicy> apply_policy(const config::Configuration& configuration,
                                                  const ChosenEndpoint& endpoint, const PolicyRequest& request,
                                                  const Clock& clock);

[[nodiscard]] Result<EndpointPolicy> remove_policy(const config::Configuration& configuration,
                                                   const ChosenEndpoint& endpoint);

}  // namespace headgate::gateway
