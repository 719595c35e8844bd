// Requests to netfilter's subsystems, several to a buffer, that go out in one send.
#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "netlink/attributes.h"

namespace headgate::netlink {

/// A nest of attributes that is open as long as this object lives.
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
    std::uint16_t flags = 0;  ///< beside NLM_F_REQUEST
    std::uint32_t sequence = 0;
    std::uint8_t family = 0;
    std::uint16_t resource = 0;  ///< host order
};

class RequestBuffer {
  public:
    /// Writes the headers; attributes follow by libmnl, `longest` bytes of headers and attributes at most, and end().
    /// The pointer is good until the next begin().
    nlmsghdr* begin(const RequestHeader& header, std::size_t longest);
    void end(const nlmsghdr* message);

    /// Asks for an answer to the last request even if it succeeds.
    void acknowledge_last();

    /// Gives all requests this sequence number, by which their answers are known.
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
