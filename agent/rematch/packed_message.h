// SPDX-License-Identifier: GPL-2.0-or-later
// Packed values between an agent and its judge: numbers in the machine's byte order, texts and lists behind their
// length. A reader checks all lengths: after the first that does not fit, everything it reads is 0 or empty, and
// is_valid() is false.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rematch/bytecode.h"

namespace headgate::rematch {

class PackedWriter {
  public:
    template <std::unsigned_integral Number>
    void number(Number value) {
        append(std::as_bytes(std::span{&value, 1}));
    }

    void bytes(netlink::Bytes value) {
        number(static_cast<std::uint64_t>(value.size()));
        append(value);
    }

    void text(std::string_view value) { bytes(std::as_bytes(std::span{value})); }

    /// Writes the number of items, and each by `write(item)`.
    template <typename Items, typename Write>
    void list(const Items& items, Write write) {
        number(static_cast<std::uint64_t>(items.size()));
        for (const auto& item : items)
            write(item);
    }

    [[nodiscard]] netlink::Bytes written() const noexcept { return bytes_; }

  private:
    void append(netlink::Bytes value) { bytes_.insert(bytes_.end(), value.begin(), value.end()); }

    ByteString bytes_;
};

class PackedReader {
  public:
    explicit PackedReader(netlink::Bytes bytes) noexcept : rest_(bytes) {}

    template <std::unsigned_integral Number>
    [[nodiscard]] Number number() {
        Number value{};
        const auto part = split_off(sizeof value);
        if (part.size() == sizeof value) std::memcpy(&value, part.data(), sizeof value);
        return value;
    }

    /// A number below `limit`.
    template <std::unsigned_integral Number>
    [[nodiscard]] Number number_below(Number limit) {
        const auto value = number<Number>();
        if (value < limit) return value;
        invalidate();
        return {};
    }

    [[nodiscard]] netlink::Bytes bytes() { return split_off(number<std::uint64_t>()); }

    [[nodiscard]] std::string text() {
        const auto part = bytes();
        return {reinterpret_cast<const char*>(part.data()), part.size()};
    }

    /// Calls `read()` as often as the list is long; an item takes at least one byte.
    template <typename Read>
    void list(Read read) {
        const auto count = number<std::uint64_t>();
        if (count > rest_.size()) return invalidate();
        for (std::uint64_t i = 0; i < count && valid_; ++i)
            read();
    }

    /// Whether everything that was read was there.
    [[nodiscard]] bool is_valid() const noexcept { return valid_; }

  private:
    [[nodiscard]] netlink::Bytes split_off(std::uint64_t size) {
        if (size > rest_.size()) {
            invalidate();
            return {};
        }
        const auto part = rest_.first(static_cast<std::size_t>(size));
        rest_ = rest_.subspan(part.size());
        return part;
    }

    void invalidate() noexcept {
        valid_ = false;
        rest_ = {};
    }

    netlink::Bytes rest_;
    bool valid_ = true;
};

}  // namespace headgate::rematch
