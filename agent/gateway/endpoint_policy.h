// The stream exception policy of one endpoint: looked at, changed, and what speaks against a change.
#pragma once

#include <string_view>

#include "headgate/clock.h"
#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

#include "config/configuration.h"
#include "gateway/chosen_endpoint.h"
#include "gateway/gateway.h"

namespace headgate::gateway {

/// A policy by name, or by the path of its file, if nothing in the configuration speaks against having it on this
/// endpoint: one that is kept in force would be back at once.
[[nodiscard]] Result<StreamExceptionPolicy> wanted_policy(const config::Configuration& configuration,
                                                          const ChosenEndpoint& endpoint, std::string_view name);

[[nodiscard]] Result<EndpointPolicy> read_policy(const ChosenEndpoint& endpoint);

/// Refused where it would cut one of the caller's own sessions, unless the order says otherwise.
[[nodiscard]] Result<EndpointPolicy> apply_policy(const config::Configuration& configuration,
                                                  const ChosenEndpoint& endpoint, const PolicyOrder& order,
                                                  const Clock& clock);

[[nodiscard]] Result<EndpointPolicy> remove_policy(const config::Configuration& configuration,
                                                   const ChosenEndpoint& endpoint);

}  // namespace headgate::gateway
