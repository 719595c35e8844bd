// SPDX-License-Identifier: GPL-2.0-or-later
// Netlink messages and their attributes, parsed from untrusted bytes. libmnl's parser trusts the message and calls into
// its shared library several times for each attribute; this one checks every length and compiles to a few instructions.
#pragma once

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace headgate::netlink {

using Bytes = std::span<const std::byte>;

/// A number in network byte order; 0 if the payload is shorter than the number.
template <typename T>
[[nodiscard]] T read_big_endian(Bytes payload) noexcept {
    if (payload.size() < sizeof(T)) return 0;
    T value{};
    std::memcpy(&value, payload.data(), sizeof value);
    if constexpr (std::endian::native == std::endian::little) {
        if constexpr (sizeof(T) == 2) value = static_cast<T>(__builtin_bswap16(value));
        if constexpr (sizeof(T) == 4) value = static_cast<T>(__builtin_bswap32(value));
        if constexpr (sizeof(T) == 8) value = static_cast<T>(__builtin_bswap64(value));
    }
    return value;
}

[[nodiscard]] inline std::size_t length_of(const nlattr& header) noexcept {
    return header.nla_len;
}
[[nodiscard]] inline std::size_t length_of(const nlmsghdr& header) noexcept {
    return header.nlmsg_len;
}

/// Removes the next item (a header with its length, and its payload) and its padding to four bytes from the front of
/// `rest`. Returns an empty span, and leaves `rest` unchanged, at the end and if the length is invalid.
template <typename Header>
[[nodiscard]] Bytes split_off_item(Bytes& rest, Header& header) noexcept {
    if (rest.size() < sizeof(Header)) return {};
    std::memcpy(&header, rest.data(), sizeof header);
    const std::size_t length = length_of(header);
    if (length < sizeof(Header) || length > rest.size()) return {};
    const Bytes item = rest.first(length);
    const std::size_t padded = (length + 3) & ~std::size_t{3};
    rest = padded < rest.size() ? rest.subspan(padded) : Bytes{};
    return item;
}

struct Attribute {
    std::uint16_t type = 0;  ///< without the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER
    Bytes payload;
    Bytes whole;  ///< header and payload, without the padding after it
};

/// Iterates over the attributes of a message or of a nest. Stops at the end or at the first invalid length.
class AttributeReader {
  public:
    explicit AttributeReader(Bytes bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] bool next(Attribute& attribute) noexcept {
        nlattr header{};
        const Bytes item = split_off_item(rest_, header);
        if (item.empty()) return false;
        attribute.type = header.nla_type & NLA_TYPE_MASK;
        attribute.whole = item;
        attribute.payload = item.subspan(sizeof header);
        return true;
    }

    /// After next() returned false: whether everything was read, rather than cut short by an invalid length.
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  private:
    Bytes rest_;
};

/// Calls `sink(attribute)` for each attribute.
template <typename Sink>
void for_each_attribute(Bytes attributes, Sink sink) {
    Attribute attribute;
    for (AttributeReader reader{attributes}; reader.next(attribute);)
        sink(attribute);
}

/// The first attribute of the type; absent if there is none.
[[nodiscard]] inline std::optional<Bytes> find_attribute(Bytes attributes, std::uint16_t type) noexcept {
    Attribute attribute;
    for (AttributeReader reader{attributes}; reader.next(attribute);) {
        if (attribute.type == type) return attribute.payload;
    }
    return std::nullopt;
}

struct Message {
    nlmsghdr header{};
    Bytes payload;

    /// The error of an NLMSG_ERROR or NLMSG_DONE as a positive errno, or 0. Both begin with an int: 0, or a negative
    /// errno (struct nlmsgerr; af_netlink.c, netlink_dump).
    [[nodiscard]] int error() const noexcept {
        int code = 0;
        if (payload.size() >= sizeof code) std::memcpy(&code, payload.data(), sizeof code);
        return code < 0 && code > -4096 ? -code : 0;
    }

    /// Whether this is the given message of the subsystem (NFNL_SUBSYS_...).
    [[nodiscard]] bool is(int subsystem, int message) const noexcept {
        return header.nlmsg_type == ((subsystem << 8) | message);
    }
};

class MessageReader {
  public:
    explicit MessageReader(Bytes bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] bool next(Message& message) noexcept {
        const Bytes item = split_off_item(rest_, message.header);
        if (item.empty()) return false;
        message.payload = item.subspan(sizeof(nlmsghdr));
        return true;
    }

    /// After next() returned false: whether everything was read, rather than cut short by an invalid length.
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  private:
    Bytes rest_;
};

}  // namespace headgate::netlink
