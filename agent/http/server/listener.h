// Where connections come from, and how one that has come is taken up.
#pragma once

#include <memory>
#include <string>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "http/message.h"
#include "http/server/peer.h"
#include "http/server/tls_server.h"
#include "http/server/unix_listener.h"
#include "http/server/wire.h"

namespace headgate::http {

/// What holds for every connection through one listener.
struct Terms {
    Admission admission = Admission::Credentials;
    std::shared_ptr<const TlsServer> tls;  ///< none: in the clear
    std::string place;                     ///< what is listened on, in words; nothing else than that tells two apart

    friend bool operator==(const Terms&, const Terms&) = default;
};

/// A listening socket that does not block. Copies share it: it is closed with the last one.
struct Listener {
    std::shared_ptr<const void> owner;  ///< of the socket
    int descriptor = -1;
    Terms terms;

    [[nodiscard]] static Listener on(UnixListener socket);
    [[nodiscard]] static Listener on(std::shared_ptr<const FileDescriptor> tcp, Terms terms);
};

/// A connection that was taken up: its bytes, and who is at the other end as far as the kernel tells.
struct Accepted {
    std::unique_ptr<Wire> wire;
    Peer peer;
};

/// Takes the connection over, unless there is an error.
[[nodiscard]] Result<Accepted> take_up(FileDescriptor& connection, const Terms& terms);

}  // namespace headgate::http
