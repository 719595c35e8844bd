// SPDX-License-Identifier: GPL-2.0-or-later
// The address of a socket as a value type, for any address family.
#pragma once

#include <sys/socket.h>

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

}  // namespace headgate::flowlog
