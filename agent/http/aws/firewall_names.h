// SPDX-License-Identifier: GPL-2.0-or-later
// Identifiers of a firewall and its parts in AWS's terms. They derive from the configuration alone, so they are stable
// across restarts and interfaces. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "config/configuration.h"

namespace headgate::http::aws {

/// `arn:aws:network-firewall:REGION:ACCOUNT:firewall/NAME`
[[nodiscard]] std::string firewall_arn(const config::Configuration& configuration, std::string_view firewall);

/// `arn:aws:network-firewall:REGION:ACCOUNT:firewall-policy/NAME`. Each firewall has one policy, of the same name.
[[nodiscard]] std::string firewall_policy_arn(const config::Configuration& configuration, std::string_view firewall);

// Ids in EC2's form, a prefix and 17 hexadecimal digits, from a hash of the names.
[[nodiscard]] std::string vpc_endpoint_id(std::string_view firewall, std::string_view availability_zone);  ///< `vpce-`
[[nodiscard]] std::string subnet_id(std::string_view firewall, std::string_view availability_zone);  ///< `subnet-`
[[nodiscard]] std::string vpc_id(std::string_view firewall);                                         ///< `vpc-`

/// A deterministic UUID of the text: version 5, by SHA-1 (RFC 9562, section 5.5).
[[nodiscard]] std::string uuid_of(std::string_view text);

}  // namespace headgate::http::aws
