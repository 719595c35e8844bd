// Netlink attributes, read from bytes that nobody vouches for. libmnl's reader trusts the message and calls into its
// shared library several times for each attribute; this one checks every length and compiles to a few instructions.
#pragma once

#include <linux/netlink.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace headgate::conntrack {

using Bytes = std::span<const std::byte>;

/// A number in network order, or 0 when the payload is shorter than it.
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

struct Attribute {
    std::uint16_t type = 0;  ///< without the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER
    Bytes payload;
    Bytes whole;  ///< header and payload, without the padding after it
};

/// Walks the attributes of a message or of a nest. Stops at the end, or at the first one whose length is a lie.
class AttributeReader {
  public:
    explicit AttributeReader(Bytes bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] bool next(Attribute& attribute) noexcept {
        if (rest_.size() < sizeof(nlattr)) return false;
        nlattr header{};
        std::memcpy(&header, rest_.data(), sizeof header);
        if (header.nla_len < sizeof header || header.nla_len > rest_.size()) return false;
        attribute.type = header.nla_type & NLA_TYPE_MASK;
        attribute.whole = rest_.first(header.nla_len);
        attribute.payload = attribute.whole.subspan(sizeof header);
        const std::size_t padded = NLA_ALIGN(header.nla_len);
        rest_ = padded < rest_.size() ? rest_.subspan(padded) : Bytes{};
        return true;
    }

    /// After next() said no: whether everything was read, rather than cut short by a bad length.
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  private:
    Bytes rest_;
};

}  // namespace headgate::conntrack
