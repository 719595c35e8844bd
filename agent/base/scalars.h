// SPDX-License-Identifier: GPL-2.0-or-later
// Parsers of single values: numbers, sizes, paths, names. An error states the rule; the caller adds the position.
// Thread-safe.
#pragma once

#include <sys/un.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate {

[[nodiscard]] Result<std::int64_t> parse_number_within(std::string_view text, std::int64_t lowest,
                                                       std::int64_t highest);

template <std::integral T>
[[nodiscard]] Result<T> parse_number(std::string_view text, T lowest, T highest) {
    return parse_number_within(text, lowest, highest).map([](std::int64_t number) { return static_cast<T>(number); });
}

/// `true` or `false`; none of the other words that YAML versions have accepted.
[[nodiscard]] Result<bool> parse_boolean(std::string_view text);

/// In bytes: `512MiB`, `2GiB`, `1TiB`, or a number without a unit.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

/// Prints the same grammar, in the largest unit that is exact.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// Rejects relative paths, because the agent and commands have different working directories. Normalizes the path, so
/// that equal paths compare equal.
[[nodiscard]] Result<std::filesystem::path> parse_absolute_path(std::string_view text);

/// Length limit of a Unix socket's path, in bytes.
inline constexpr std::size_t kLongestSocketPath = sizeof(sockaddr_un::sun_path) - 1;

[[nodiscard]] Result<std::filesystem::path> parse_socket_path(std::string_view text);

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
