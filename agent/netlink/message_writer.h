// SPDX-License-Identifier: GPL-2.0-or-later
// Writes netlink messages of any family and length, several per buffer. request_buffer.h, over libmnl, serves where a
// message's length is known beforehand.
#pragma once

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

#include "netlink/messages.h"

namespace headgate::netlink {

class MessageWriter {
  public:
    /// Begins a message; `flags` are in addition to NLM_F_REQUEST.
    void begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence = 0) {
        message_ = bytes_.size();
        nlmsghdr header{};
        header.nlmsg_type = type;
        header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        header.nlmsg_seq = sequence;
        structure(header);
    }

    /// Netfilter's header.
    void netfilter(std::uint8_t family, std::uint16_t resource = 0) {
        structure(nfgenmsg{family, NFNETLINK_V0, htons(resource)});
    }

    /// A subsystem's own header, such as rtmsg.
    template <typename Header>
    void structure(const Header& header) {
        static_assert(std::is_trivially_copyable_v<Header>);
        raw(std::as_bytes(std::span{&header, 1}));
    }

    void attribute(std::uint16_t type, Bytes payload) {
        const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + payload.size()), type};
        append(std::as_bytes(std::span{&header, 1}));
        raw(payload);
    }

    /// Repeats an attribute that was read, with its flags.
    void copy(const Attribute& attribute) { raw(attribute.whole); }

    /// Zero-terminated, as the kernel wants names.
    void text(std::uint16_t type, std::string_view value) {
        const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + value.size() + 1), type};
        append(std::as_bytes(std::span{&header, 1}));
        append(std::as_bytes(std::span{value}));
        bytes_.push_back(std::byte{0});
        pad();
    }

    template <typename Number>
    void native(std::uint16_t type, Number value) {
        attribute(type, std::as_bytes(std::span{&value, 1}));
    }

    template <typename Number>
    void big_endian(std::uint16_t type, Number value) {
        native(type, read_big_endian<Number>(std::as_bytes(std::span{&value, 1})));
    }

    /// Writes a nested attribute with what `body()` writes.
    template <typename Body>
    void nest(std::uint16_t type, Body body) {
        const std::size_t start = bytes_.size();
        attribute(static_cast<std::uint16_t>(type | NLA_F_NESTED), {});
        body();
        const auto length = static_cast<std::uint16_t>(bytes_.size() - start);
        std::memcpy(bytes_.data() + start, &length, sizeof length);
    }

    /// Ends the message that was begun last.
    void end() {
        const auto length = static_cast<std::uint32_t>(bytes_.size() - message_);
        std::memcpy(bytes_.data() + message_, &length, sizeof length);
    }

    void clear() noexcept { bytes_.clear(); }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
    [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }

  private:
    void append(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void pad() { bytes_.resize((bytes_.size() + 3) & ~std::size_t{3}); }
    void raw(Bytes bytes) {
        append(bytes);
        pad();
    }

    std::vector<std::byte> bytes_;
    std::size_t message_ = 0;
};

}  // namespace headgate::netlink
