// Netlink attributes, read from bytes that nobody vouches for. libmnl's reader trusts the message and calls into its
// shared library several times for each attribute; this one checks every length and compiles to a few instructions.
#pragma once

#include <linux/netlink.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace headgate::netlink {

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

[[nodiscard]] inline std::size_t length_of(const nlattr& header) noexcept {
    return header.nla_len;
}
[[nodiscard]] inline std::size_t length_of(const nlmsghdr& header) noexcept {
    return header.nlmsg_len;
}

/// Takes the next item, a header that says its length and what follows it, off the front of `rest`, with the padding to
/// four bytes behind it. Empty at the end, and where the length is a lie: then `rest` is left as it was.
template <typename Header>
[[nodiscard]] Bytes take_item(Bytes& rest, Header& header) noexcept {
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

/// Walks the attributes of a message or of a nest. Stops at the end, or at the first one whose length is a lie.
class AttributeReader {
  public:
    explicit AttributeReader(Bytes bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] bool next(Attribute& attribute) noexcept {
        nlattr header{};
        const Bytes item = take_item(rest_, header);
        if (item.empty()) return false;
        attribute.type = header.nla_type & NLA_TYPE_MASK;
        attribute.whole = item;
        attribute.payload = item.subspan(sizeof header);
        return true;
    }

    /// After next() said no: whether everything was read, rather than cut short by a bad length.
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  private:
    Bytes rest_;
};

}  // namespace headgate::netlink
