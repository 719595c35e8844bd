// SPDX-License-Identifier: GPL-2.0-or-later
// What may be put in quarantine, and for how long. Pure functions; an error states the rule, and the caller adds the
// argument's name.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "headgate/address.h"
#include "headgate/result.h"

namespace headgate::quarantine {

inline constexpr std::size_t kMostAtOnce = 256;  ///< prefixes in one request

/// An address or a prefix, as its packets have it: IPv4-mapped addresses are rejected, as is the default route.
[[nodiscard]] Result<Prefix> parse_quarantined(std::string_view text);

/// 1 to kMostAtOnce, none twice.
[[nodiscard]] Result<void> check_prefixes(std::span<const Prefix> prefixes);

[[nodiscard]] Result<std::chrono::seconds> checked_time(std::chrono::seconds time);

/// One line.
[[nodiscard]] Result<std::string> parse_reason(std::string_view text);

[[nodiscard]] bool overlap(const Prefix& a, const Prefix& b) noexcept;

/// Refused if a prefix is wider than a site usually has: /16, or /48 of IPv6.
[[nodiscard]] Result<void> check_width(std::span<const Prefix> prefixes);

}  // namespace headgate::quarantine
