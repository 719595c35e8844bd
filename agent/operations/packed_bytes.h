// SPDX-License-Identifier: GPL-2.0-or-later
// Packed numbers: fixed-size ones in little endian, and variable-length ones for mostly small values.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "headgate/address.h"

namespace headgate::operations {

/// Collects one row. `Capacity` must suffice for the longest one.
template <std::size_t Capacity>
class PackedWriter {  // NOLINT(cppcoreguidelines-pro-type-member-init): what is not written is not read
  public:
    void octet(std::uint8_t value) noexcept { storage_[size_++] = std::byte{value}; }

    template <std::unsigned_integral Number>
    void fixed(Number value) noexcept {
        for (std::size_t i = 0; i < sizeof(Number); ++i)
            octet(static_cast<std::uint8_t>(value >> (8 * i)));
    }

    /// LEB128: seven bits per octet, lowest first; the eighth is set if more follow.
    void number(std::uint64_t value) noexcept {
        for (; value >= 0x80U; value >>= 7U)
            octet(static_cast<std::uint8_t>(value | 0x80U));
        octet(static_cast<std::uint8_t>(value));
    }

    void address(const Address& value) noexcept {
        for (std::size_t i = 0; i < address_octets(value.family); ++i)
            octet(value.octets[i]);
    }

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return std::span{storage_}.first(size_); }

  private:
    std::array<std::byte, Capacity>
        storage_;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
    std::size_t size_ = 0;
};

/// Decodes untrusted bytes. Beyond the end, or on a number out of range, it returns zeros from there on and good() is
/// false; so callers check once per row.
class PackedReader {
  public:
    explicit PackedReader(std::span<const std::byte> bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }

    /// Marks the input as invalid.
    void spoil() noexcept {
        good_ = false;
        rest_ = {};
    }

    std::uint8_t octet() noexcept { return fixed<std::uint8_t>(); }

    template <std::unsigned_integral Number>
    Number fixed() noexcept {
        if (rest_.size() < sizeof(Number)) {
            spoil();
            return 0;
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < sizeof(Number); ++i)
            value |= std::to_integer<std::uint64_t>(rest_[i]) << (8 * i);
        rest_ = rest_.subspan(sizeof(Number));
        return static_cast<Number>(value);
    }

    template <std::unsigned_integral Number>
    Number number() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint64_t part = octet();
            const std::uint64_t bits = part & 0x7FU;
            if ((bits << shift) >> shift != bits) break;
            value |= bits << shift;
            if (part > 0x7FU) continue;
            if (value > std::numeric_limits<Number>::max()) break;
            return static_cast<Number>(value);
        }
        spoil();
        return 0;
    }

    Address address(Family family) noexcept {
        Address value;
        value.family = family;
        for (std::size_t i = 0; i < address_octets(family); ++i)
            value.octets[i] = octet();
        return value;
    }

    /// After its size in bytes.
    std::string text() {
        const auto size = number<std::uint64_t>();
        if (size > rest_.size()) spoil();
        const auto bytes = rest_.first(good_ ? static_cast<std::size_t>(size) : 0);
        rest_ = rest_.subspan(bytes.size());
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

  private:
    std::span<const std::byte> rest_;
    bool good_ = true;
};

}  // namespace headgate::operations
