// The bytes of one connection, each wait with a deadline. What is above it speaks HTTP; what is below may be any of
// Poco's stream sockets.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "http/server/tls_server.h"

namespace headgate::http {

using Deadline = std::chrono::steady_clock::time_point;

[[nodiscard]] inline Deadline in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

/// What one attempt to move bytes has done.
struct Moved {
    std::size_t bytes = 0;
    short wait_for = 0;  ///< POLLIN or POLLOUT: nothing moves before that; 0: so many bytes were moved, none at the end
};

/// Errors have ETIMEDOUT for a deadline, EMSGSIZE for a limit, ECONNRESET for an end in the middle.
class Wire {
  public:
    /// Takes over a connected socket.
    explicit Wire(FileDescriptor socket);

    /// The same, and speaks TLS on it: the handshake is part of the first read.
    Wire(FileDescriptor socket, const TlsServer& tls);

    /// Takes what is there, without waiting. Not to be mixed with what follows, which reads ahead.
    [[nodiscard]] Result<Moved> receive(std::span<char> into);

    /// Sends as much as goes out at once. What is left comes first the next time.
    [[nodiscard]] Result<Moved> send(std::string_view bytes);

    /// Waits until there is something to receive.
    [[nodiscard]] bool wait_readable(Deadline until) const;

    /// Waits for the next byte. False: there is none any more, or not in time.
    [[nodiscard]] bool wait_for_data(Deadline until);

    /// Everything up to the empty line, and that, too.
    [[nodiscard]] Result<std::string> read_head(std::size_t at_most, Deadline until);

    /// What is there, as much as fits; empty at the end. It is gone with the next call.
    [[nodiscard]] Result<std::string_view> read_some(std::size_t at_most, Deadline until);

    /// All of it. `patience`: for each part that the other side takes.
    [[nodiscard]] Result<void> write(std::string_view bytes, std::chrono::milliseconds patience);

    /// Whether the other side has closed its end altogether.
    [[nodiscard]] bool is_abandoned() const;

    /// The common name of the certificate that the other side has shown; empty where it has shown none.
    [[nodiscard]] std::string certificate_name() const;

    /// Says that nothing more comes. What the other side still sends can be read away: closing at once would throw what
    /// was written last away, as seen from there.
    void end_sending();

    /// Says, where TLS is spoken, that what was sent is all (RFC 8446, section 6.1).
    void end();

    /// No more bytes, either way.
    void cut() const;

    [[nodiscard]] int descriptor() const { return socket_.impl()->sockfd(); }

  private:
    [[nodiscard]] Result<bool> fill(Deadline until);  // false: the end
    [[nodiscard]] Result<std::string> read_line(std::size_t at_most, Deadline until);
    template <typename Attempt>
    [[nodiscard]] Result<std::size_t> transfer(Deadline until, const Attempt& attempt);

    Poco::Net::StreamSocket socket_;
    std::vector<char> buffer_;  ///< there once something was read ahead
    std::size_t first_ = 0;
    std::size_t last_ = 0;
};

}  // namespace headgate::http
