// SPDX-License-Identifier: GPL-2.0-or-later
// Listening sockets, and the setup of an accepted connection.
#pragma once

#include <memory>
#include <string>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "http/message.h"
#include "http/server/peer.h"
#include "http/server/stream.h"
#include "http/server/tls_server.h"
#include "http/server/unix_listener.h"

namespace headgate::http {

/// What applies to every connection through one listener.
struct Terms {
    Admission admission = Admission::Credentials;
    std::shared_ptr<const TlsServer> tls;  ///< null: plain text
    std::string place;                     ///< the listener's address in words; compared only, to tell listeners apart

    friend bool operator==(const Terms&, const Terms&) = default;
};

/// A non-blocking listening socket. Copies share it; it closes with the last one.
struct Listener {
    std::shared_ptr<const void> owner;  ///< keeps the socket open
    int descriptor = -1;
    Terms terms;

    [[nodiscard]] static Listener on(UnixListener socket);
    [[nodiscard]] static Listener on(std::shared_ptr<const FileDescriptor> tcp, Terms terms);
};

/// A connection after setup: its byte stream, and its peer as far as the kernel reports it.
struct Accepted {
    std::unique_ptr<Stream> stream;
    Peer peer;
};

/// Moves from `connection`; on error it is left as it was.
[[nodiscard]] Result<Accepted> set_up(FileDescriptor& connection, const Terms& terms);

}  // namespace headgate::http
