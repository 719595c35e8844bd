// SPDX-License-Identifier: GPL-2.0-or-later
// IPv4 and IPv6 addresses and prefixes: values, text form and containment. All functions are thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "headgate/names.h"
#include "headgate/result.h"

namespace headgate {

enum class Family : std::uint8_t { Ipv4, Ipv6 };
template <>
inline constexpr auto kNames<Family> = name_list("ipv4", "ipv6");

[[nodiscard]] constexpr unsigned address_bits(Family family) {
    return family == Family::Ipv4 ? 32 : 128;
}
[[nodiscard]] constexpr std::size_t address_octets(Family family) {
    return address_bits(family) / 8;
}

struct Address {
    Family family = Family::Ipv4;
    std::array<std::uint8_t, 16> octets{};  ///< network byte order; IPv4 uses the first four octets, the rest are zero

    friend bool operator==(const Address&, const Address&) = default;
};

/// Length of the longest text form of an address, without the terminating NUL (RFC 4291, section 2.2, form 3).
inline constexpr std::size_t kAddressText = 45;

/// Writes the same text as inet_ntop(3) (RFC 5952) and returns its length. Does not allocate: called for every row.
std::size_t write_address(std::span<char, kAddressText> text, const Address& address) noexcept;

[[nodiscard]] std::string to_string(const Address& address);

/// An IPv4-mapped address, `::ffff:192.0.2.1`, becomes the IPv4 address: no user means flows of such IPv6 packets.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

/// Likewise, but keeps a mapped address: for reading stored flows.
[[nodiscard]] Result<Address> parse_address_as_written(std::string_view text);

/// The IPv4 address that an IPv4-mapped one stands for; any other address unchanged.
[[nodiscard]] Address unmapped(const Address& address) noexcept;

[[nodiscard]] bool is_loopback(const Address& address) noexcept;  ///< 127.0.0.0/8, ::1

/// A network: all addresses whose first `length` bits equal those of `address`.
struct Prefix {
    Address address;          ///< host bits are zero
    std::uint8_t length = 0;  ///< 0..32 or 0..128

    [[nodiscard]] bool contains(const Address& candidate) const noexcept;
    [[nodiscard]] bool is_single_address() const noexcept { return length == address_bits(address.family); }

    friend bool operator==(const Prefix&, const Prefix&) = default;
};

/// `10.0.1.0/24`, `2001:db8::/64`, or the bare address of a single-address prefix.
[[nodiscard]] std::string to_string(const Prefix& prefix);

/// Rejects a length above the family's maximum and set host bits; the error suggests the probable prefix. A prefix of
/// mapped addresses only, `::ffff:192.0.2.0/120`, becomes an IPv4 prefix.
[[nodiscard]] Result<Prefix> parse_prefix(std::string_view text);

}  // namespace headgate
