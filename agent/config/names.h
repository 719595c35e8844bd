// What firewalls, availability zones and policies can be called.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::config {

/// AWS Network Firewall's rule for the name of a firewall (API reference, FirewallName: [a-zA-Z0-9-]+, 1 to 128).
inline constexpr std::size_t kLongestName = 128;

[[nodiscard]] constexpr bool fits_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/// The name of a firewall, an availability zone, a region.
[[nodiscard]] Result<std::string> parse_name(std::string_view text);

/// The name of a stream exception policy. What passes can be a part of a path and of a name in nftables as it is.
[[nodiscard]] Result<std::string> parse_policy_name(std::string_view text);

}  // namespace headgate::config
