// What a firewall and its parts are called in AWS's terms. A name here is made of the configuration alone, so it is the
// same after a restart and on every face. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "config/configuration.h"

namespace headgate::http::aws {

/// `arn:aws:network-firewall:REGION:ACCOUNT:firewall/NAME`
[[nodiscard]] std::string firewall_arn(const config::Configuration& configuration, std::string_view firewall);

/// `arn:aws:network-firewall:REGION:ACCOUNT:firewall-policy/NAME`: each firewall has its policy, of the same name.
[[nodiscard]] std::string firewall_policy_arn(const config::Configuration& configuration, std::string_view firewall);

// Ids as EC2 makes them, a prefix and 17 hexadecimal digits; here these are of a hash of the names.
[[nodiscard]] std::string vpc_endpoint_id(std::string_view firewall, std::string_view availability_zone);  ///< `vpce-`
[[nodiscard]] std::string subnet_id(std::string_view firewall, std::string_view availability_zone);  ///< `subnet-`
[[nodiscard]] std::string vpc_id(std::string_view firewall);                                         ///< `vpc-`

/// A UUID that is always the same for the same text: version 5, made of its SHA-1 (RFC 9562, section 5.5).
[[nodiscard]] std::string uuid_of(std::string_view text);

}  // namespace headgate::http::aws
