// Where a socket is connected to: a value that sockaddr would be if it had one size.
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
    /// Of a Unix socket; one whose name begins with `@` is an abstract one (unix(7)).
    explicit SocketAddress(const std::filesystem::path& socket);

    /// As messages name it.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    /// A socket of this type (SOCK_...) that does not block. Where it says EINPROGRESS, the connection is on its way.
    struct Connection {
        FileDescriptor socket;
        int fault = 0;
    };
    [[nodiscard]] Connection connect(int type) const;

    /// `192.0.2.1:514: Connection refused`
    [[nodiscard]] tl::unexpected<Error> fault(int number) const { return system_error(number, text_); }

  private:
    sockaddr_storage storage_{};
    socklen_t length_ = 0;  ///< 0: no such address can be
    std::string text_;
};

}  // namespace headgate::flowlog
