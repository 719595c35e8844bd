// SPDX-License-Identifier: GPL-2.0-or-later
// Requests to netfilter subsystems: several per buffer, sent at once.
#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "netlink/messages.h"

namespace headgate::netlink {

/// A nested attribute, closed by the destructor.
class Nest {
  public:
    Nest(nlmsghdr* message, std::uint16_t type) : message_(message), start_(mnl_attr_nest_start(message, type)) {}
    ~Nest() { mnl_attr_nest_end(message_, start_); }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

  private:
    nlmsghdr* message_;
    nlattr* start_;
};

/// The headers of a request (struct nlmsghdr, struct nfgenmsg).
struct RequestHeader {
    std::uint16_t type = 0;   ///< subsystem << 8 | message
    std::uint16_t flags = 0;  ///< in addition to NLM_F_REQUEST
    std::uint32_t sequence = 0;
    std::uint8_t family = 0;
    std::uint16_t resource = 0;  ///< host order
};

class RequestBuffer {
  public:
    /// Writes the headers. The caller adds attributes with libmnl and calls end(); headers and attributes take at most
    /// `longest` bytes. The pointer is valid until the next begin().
    nlmsghdr* begin(const RequestHeader& header, std::size_t longest);
    void end(const nlmsghdr* message);

    /// Requests an answer to the last request even if it succeeds.
    void acknowledge_last();

    /// Sets the sequence number of all requests, which their answers carry.
    void number_all(std::uint32_t sequence);

    void clear() noexcept;

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] Bytes bytes() const noexcept { return Bytes{buffer_}.first(used_); }

  private:
    std::vector<std::byte> buffer_;
    std::size_t used_ = 0;
    std::size_t last_ = 0;
    std::size_t count_ = 0;
};

}  // namespace headgate::netlink
