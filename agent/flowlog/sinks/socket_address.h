// SPDX-License-Identifier: GPL-2.0-or-later
// What sinks that write to sockets and other descriptors have in common: addresses of any family, waiting, errors.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "headgate/address.h"
#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::flowlog {

class SocketAddress {
  public:
    SocketAddress(const Address& address, std::uint16_t port);
    /// Of a Unix socket; a name that begins with `@` is an abstract address (unix(7)).
    explicit SocketAddress(const std::filesystem::path& socket);

    /// The address as shown in messages.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    /// A non-blocking socket of this type (SOCK_...). `fault` is 0 or an errno; EINPROGRESS: connecting is under way.
    struct Connection {
        FileDescriptor socket;
        int fault = 0;
    };
    [[nodiscard]] Connection connect(int type) const;

    /// An error such as `192.0.2.1:514: Connection refused`.
    [[nodiscard]] tl::unexpected<Error> fault(int number) const { return system_error(number, text_); }

  private:
    sockaddr_storage storage_{};
    socklen_t length_ = 0;  ///< 0: the address is invalid
    std::string text_;
};

/// Waits until a descriptor is writable or broken (the next write then reports why). Returns 0, ETIMEDOUT, or poll(2)'s
/// errno.
[[nodiscard]] int wait_until_writable(int fd, std::chrono::steady_clock::time_point deadline);

/// How long a sink may block the thread of its queue.
inline constexpr std::chrono::seconds kPatience{1};

/// A short error, to follow the sink's name: `No space left on device`.
[[nodiscard]] inline tl::unexpected<Error> fault(int number) {
    if (number == ETIMEDOUT) return make_error(ErrorKind::TimedOut, "accepts nothing at the moment");
    return system_error(number);
}

}  // namespace headgate::flowlog
