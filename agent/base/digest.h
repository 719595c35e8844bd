// SPDX-License-Identifier: GPL-2.0-or-later
// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by OpenSSL. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace headgate {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest sha256(std::string_view text);
[[nodiscard]] Digest hmac_sha256(std::string_view key, std::string_view text);
[[nodiscard]] Digest hmac_sha256(const Digest& key, std::string_view text);

/// Constant time: does not depend on where the digests differ.
[[nodiscard]] bool equal_in_constant_time(const Digest& a, const Digest& b);

[[nodiscard]] std::string to_hex(const Digest& digest);  ///< in lower case

/// Parses 64 hexadecimal digits, either case.
[[nodiscard]] std::optional<Digest> parse_digest(std::string_view hex);

}  // namespace headgate
