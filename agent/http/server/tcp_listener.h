// A TCP socket that the agent listens on.
#pragma once

#include <cstdint>

#include "headgate/address.h"
#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::http {

/// Listens from now on, without blocking. EADDRINUSE: somebody else does. An IPv6 address is for IPv6 alone.
[[nodiscard]] Result<FileDescriptor> listen_on_tcp(const Address& address, std::uint16_t port);

/// Both ends of a connection.
struct TcpEnds {
    Address peer;
    Address own;
    std::uint16_t own_port = 0;
};

[[nodiscard]] Result<TcpEnds> ends_of(int connection);

/// Small answers leave at once, and not when the last one was acknowledged (tcp(7), TCP_NODELAY).
void send_at_once(int connection);

}  // namespace headgate::http
