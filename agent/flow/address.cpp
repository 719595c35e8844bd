// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace headgate {
namespace {

/// inet_pton(3) needs a null-terminated string; the longest valid text has INET6_ADDRSTRLEN - 1 characters.
bool read_address(int af, std::string_view text, std::uint8_t* octets) {
    char terminated[INET6_ADDRSTRLEN]{};
    if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) return false;
    std::copy(text.begin(), text.end(), terminated);
    return inet_pton(af, terminated, octets) == 1;
}

char* write_decimal(char* out, std::uint8_t value) noexcept {
    if (value >= 100) *out++ = static_cast<char>('0' + value / 100);
    if (value >= 10) *out++ = static_cast<char>('0' + value / 10 % 10);
    *out++ = static_cast<char>('0' + value % 10);
    return out;
}

char* write_dotted(char* out, const std::uint8_t* octets) noexcept {
    out = write_decimal(out, octets[0]);
    for (int i = 1; i < 4; ++i) {
        *out++ = '.';
        out = write_decimal(out, octets[i]);
    }
    return out;
}

char* write_group(char* out, unsigned group) noexcept {
    constexpr char kDigits[] = "0123456789abcdef";
    bool leading = true;
    for (int shift = 12; shift >= 0; shift -= 4) {
        const unsigned digit = (group >> static_cast<unsigned>(shift)) & 0xFU;
        if (leading && digit == 0 && shift != 0) continue;
        leading = false;
        *out++ = kDigits[digit];
    }
    return out;
}

struct ZeroRun {
    unsigned first = 0;
    unsigned length = 0;
};

/// The run that `::` replaces: the longest one, the first of equal ones, at least two groups (RFC 5952, section 4.2).
ZeroRun longest_zero_run(const std::array<unsigned, 8>& groups) noexcept {
    ZeroRun best;
    for (unsigned i = 0; i < 8;) {
        unsigned end = i;
        while (end < 8 && groups[end] == 0)
            ++end;
        if (end - i > best.length) best = {i, end - i};
        i = end + 1;
    }
    return best.length >= 2 ? best : ZeroRun{};
}

char* write_ipv6(char* out, const std::array<std::uint8_t, 16>& octets) noexcept {
    std::array<unsigned, 8> groups{};
    for (unsigned i = 0; i < 8; ++i) {
        groups[i] = static_cast<unsigned>(octets[2 * i] << 8U) | octets[2 * i + 1];
    }
    const ZeroRun zeros = longest_zero_run(groups);
    // Embedded IPv4 addresses are printed in dotted form, as by inet_ntop(3): ::ffff:192.0.2.1 and ::192.0.2.1.
    const bool dotted = zeros.first == 0 && (zeros.length == 6 || (zeros.length == 5 && groups[5] == 0xFFFF));
    const unsigned count = dotted ? 6 : 8;
    for (unsigned i = 0; i < count;) {
        if (zeros.length != 0 && i == zeros.first) {
            *out++ = ':';
            *out++ = ':';
            i += zeros.length;
            continue;
        }
        if (i != 0 && i != zeros.first + zeros.length) *out++ = ':';
        out = write_group(out, groups[i]);
        ++i;
    }
    if (!dotted) return out;
    if (zeros.length == 5) *out++ = ':';
    return write_dotted(out, octets.data() + 12);
}

/// IPv4-mapped IPv6 addresses, `::ffff:192.0.2.1` (RFC 4291, section 2.5.5.2): programs that listen on a socket for
/// both families report IPv4 peers in this form.
constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned kMappedBits = 8 * kMapped.size();

bool is_mapped(const Address& address) {
    return address.family == Family::Ipv6 &&
           std::ranges::equal(kMapped, std::span{address.octets}.first<kMapped.size()>());
}

std::uint64_t load_half(const Address& address, std::size_t half) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, address.octets.data() + 8 * half, sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
    return value;
}

std::uint64_t leading_ones(unsigned count) noexcept {
    return count == 0 ? 0 : ~std::uint64_t{0} << (64U - count);
}

Address network_of(Address address, unsigned length) {
    for (unsigned i = 0; i < address.octets.size(); ++i) {
        const unsigned kept = std::clamp(length, 8 * i, 8 * i + 8) - 8 * i;
        address.octets[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
    }
    return address;
}

}  // namespace

std::size_t write_address(std::span<char, kAddressText> text, const Address& address) noexcept {
    char* const begin = text.data();
    char* const end =
        address.family == Family::Ipv4 ? write_dotted(begin, address.octets.data()) : write_ipv6(begin, address.octets);
    return static_cast<std::size_t>(end - begin);
}

std::string to_string(const Address& address) {
    std::array<char, kAddressText> text{};
    return {text.data(), write_address(text, address)};
}

Result<Address> parse_address(std::string_view text) {
    return parse_address_as_written(text).map(unmapped);
}

Result<Address> parse_address_as_written(std::string_view text) {
    Address address;
    if (read_address(AF_INET, text, address.octets.data())) return address;
    address = Address{Family::Ipv6, {}};
    if (read_address(AF_INET6, text, address.octets.data())) return address;
    return invalid("\"{}\" is not an IPv4 or IPv6 address", text);
}

Address unmapped(const Address& address) noexcept {
    if (!is_mapped(address)) return address;
    Address ipv4;
    std::ranges::copy(std::span{address.octets}.subspan<kMapped.size()>(), ipv4.octets.begin());
    return ipv4;
}

bool is_loopback(const Address& address) noexcept {
    if (address.family == Family::Ipv4) return address.octets[0] == 127;
    std::array<std::uint8_t, 16> one{};
    one.back() = 1;
    return address.octets == one;
}

bool Prefix::contains(const Address& candidate) const noexcept {
    if (candidate.family != address.family) return false;
    const unsigned bits = length;
    const std::uint64_t high = load_half(address, 0) ^ load_half(candidate, 0);
    if ((high & leading_ones(std::min(bits, 64U))) != 0) return false;
    if (bits <= 64) return true;
    const std::uint64_t low = load_half(address, 1) ^ load_half(candidate, 1);
    return (low & leading_ones(bits - 64)) == 0;
}

std::string to_string(const Prefix& prefix) {
    if (prefix.is_single_address()) return to_string(prefix.address);
    return fmt::format("{}/{}", to_string(prefix.address), prefix.length);
}

Result<Prefix> parse_prefix(std::string_view text) {
    const auto slash = text.find('/');
    ASSIGN_OR_RETURN(auto address, parse_address_as_written(text.substr(0, slash)));
    const unsigned longest = address_bits(address.family);
    auto length = std::optional{longest};
    if (slash != std::string_view::npos) length = parse_unsigned<unsigned>(text.substr(slash + 1));
    if (!length) return invalid("\"{}\": the prefix length is not a number", text);
    if (*length > longest) return invalid("{}: /{} is longer than /{}", text, *length, longest);
    if (is_mapped(address) && *length >= kMappedBits) {
        address = unmapped(address);
        *length -= kMappedBits;
    }
    const Prefix prefix{network_of(address, *length), static_cast<std::uint8_t>(*length)};
    if (prefix.address != address) {
        return invalid("{} has host bits set; the prefix is {}/{}", text, to_string(prefix.address), *length);
    }
    return prefix;
}

}  // namespace headgate
