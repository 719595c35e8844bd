// SPDX-License-Identifier: GPL-2.0-or-later
// Names of firewalls, availability zones and policies.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate {

/// In characters: the limit of AWS Network Firewall (API reference, FirewallName: [a-zA-Z0-9-]+, 1 to 128).
inline constexpr std::size_t kLongestName = 128;

[[nodiscard]] constexpr bool fits_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/// Parses the name of a firewall, an availability zone or a region.
[[nodiscard]] Result<std::string> parse_resource_name(std::string_view text);

/// Parses the name of a stream exception policy. A valid one can be used in a path and in an nftables name unchanged.
[[nodiscard]] Result<std::string> parse_policy_name(std::string_view text);

}  // namespace headgate
