// SPDX-License-Identifier: GPL-2.0-or-later
// A listening TCP socket.
#pragma once

#include <cstdint>
#include <string>

#include "headgate/address.h"
#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::http {

/// `127.0.0.1 port 8443`, for messages
[[nodiscard]] std::string place_of(const Address& address, std::uint16_t port);

/// A non-blocking socket that could listen there: no client can connect to it. EADDRINUSE: another socket listens
/// there. An IPv6 address accepts IPv6 only.
[[nodiscard]] Result<FileDescriptor> bind_tcp(const Address& address, std::uint16_t port);

/// Such a socket that listens.
[[nodiscard]] Result<FileDescriptor> listen_on_tcp(const Address& address, std::uint16_t port);

/// Both ends of a connection.
struct TcpEnds {
    Address peer;
    Address own;
    std::uint16_t own_port = 0;
};

[[nodiscard]] Result<TcpEnds> ends_of(int connection);

/// Sends small responses at once instead of waiting for acknowledgements (tcp(7), TCP_NODELAY).
void send_at_once(int connection);

}  // namespace headgate::http
