// IPv4 and IPv6 addresses and prefixes: values, their text, and containment. All functions are thread-safe.
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
    std::array<std::uint8_t, 16> octets{};  ///< network order; IPv4 uses the first four, the rest stays zero

    friend bool operator==(const Address&, const Address&) = default;
};

/// Room for the longest text of an address, without a terminating zero (RFC 4291, section 2.2, form 3).
inline constexpr std::size_t kAddressText = 45;

/// Writes the text that inet_ntop(3) would (RFC 5952) and returns its length. No allocation: called for every row told.
std::size_t write_address(std::span<char, kAddressText> text, const Address& address) noexcept;

[[nodiscard]] std::string to_string(const Address& address);

/// A mapped address, `::ffff:192.0.2.1`, is the IPv4 address: nobody means a flow of such IPv6 packets.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

/// The same without that, for what was written down of a flow.
[[nodiscard]] Result<Address> parse_address_as_written(std::string_view text);

[[nodiscard]] bool is_loopback(const Address& address) noexcept;  ///< 127.0.0.0/8, ::1

/// A network: every address whose first `length` bits are those of `address`.
struct Prefix {
    Address address;          ///< host bits are zero
    std::uint8_t length = 0;  ///< 0..32 or 0..128

    [[nodiscard]] bool contains(const Address& candidate) const noexcept;
    [[nodiscard]] bool is_single_address() const noexcept { return length == address_bits(address.family); }

    friend bool operator==(const Prefix&, const Prefix&) = default;
};

/// `10.0.1.0/24`, `2001:db8::/64`, or a bare address, which stands for itself alone.
[[nodiscard]] std::string to_string(const Prefix& prefix);

/// Refuses a length beyond the family's and host bits that are set, naming the prefix that was probably meant. A prefix
/// of mapped addresses alone, `::ffff:192.0.2.0/120`, is one of IPv4 addresses.
[[nodiscard]] Result<Prefix> parse_prefix(std::string_view text);

}  // namespace headgate
