// SPDX-License-Identifier: GPL-2.0-or-later
// What no quarantine may cut off, unless that is asked for.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "headgate/address.h"
#include "headgate/flow_filter.h"
#include "headgate/result.h"

#include "gateway/gateway.h"
#include "gateway/managed_endpoint.h"
#include "operations/operation_request.h"

namespace headgate::gateway {

struct Spared {
    std::vector<Address> own;       ///< addresses of the gateway
    std::optional<Address> caller;  ///< from where the request came
    operations::SshGuard ssh;       ///< sessions into this machine
    std::vector<FlowFilter> protected_filters;
};

/// Determines it: the addresses of the endpoint's network namespace, the caller's SSH session (session_guard.h), and
/// what the configuration protects.
[[nodiscard]] Result<Spared> spared_by(const QuarantineRequest& request, const ManagedEndpoint& endpoint,
                                       const std::vector<FlowFilter>& protected_filters);

/// Refused if one of the prefixes has an address of the gateway, loopback included, of the caller or of an SSH session,
/// or overlaps one that a protected filter names. A filter without addresses, as of a port alone, names none. Pure.
[[nodiscard]] Result<void> check_spared(std::span<const Prefix> prefixes, const Spared& spared);

}  // namespace headgate::gateway
