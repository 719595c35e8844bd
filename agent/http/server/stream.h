// SPDX-License-Identifier: GPL-2.0-or-later
// The byte stream of one connection, over any stream socket of Poco's. Every wait has a deadline.
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

/// The result of one attempt to transfer bytes.
struct Moved {
    std::size_t bytes = 0;
    short wait_for = 0;  ///< POLLIN or POLLOUT: nothing was transferred, wait for it; 0: `bytes` were, none at the end
};

/// Errors: TimedOut for a deadline, TooLarge for a limit, Disconnected for an early end of the connection.
class Stream {
  public:
    /// Takes over a connected socket.
    explicit Stream(FileDescriptor socket);

    /// Likewise, with TLS; the first read performs the handshake.
    Stream(FileDescriptor socket, const TlsServer& tls);

    virtual ~Stream() = default;
    Stream(Stream&&) = default;
    Stream& operator=(Stream&&) = default;

    /// Reads what is available, without waiting. Not to be mixed with the buffered reads below.
    [[nodiscard]] virtual Result<Moved> receive(std::span<char> into);

    /// Sends what the socket accepts without waiting, over TLS of the first part alone. The next call must begin with
    /// the rest.
    [[nodiscard]] virtual Result<Moved> send(std::span<const std::string_view> parts);
    [[nodiscard]] Result<Moved> send_bytes(std::string_view bytes) { return send({&bytes, 1}); }

    /// Waits for input. False: timeout or error.
    [[nodiscard]] bool wait_readable(Deadline until) const;

    /// Waits for the next byte. False: end of the stream, timeout or error.
    [[nodiscard]] bool wait_for_data(Deadline until);

    /// Reads up to and including the empty line.
    [[nodiscard]] Result<std::string> read_head(std::size_t at_most, Deadline until);

    /// Reads what is available, up to `at_most` bytes; empty at the end. Valid until the next call.
    [[nodiscard]] Result<std::string_view> read_some(std::size_t at_most, Deadline until);

    /// Sends all bytes. `patience`: timeout for what the peer accepts at once.
    [[nodiscard]] Result<void> write(std::string_view bytes, std::chrono::milliseconds patience);

    /// Likewise several parts, one behind the other, which are joined for TLS alone.
    [[nodiscard]] Result<void> write(std::span<const std::string_view> parts, std::chrono::milliseconds patience);

    /// Whether the peer has closed both directions.
    [[nodiscard]] bool is_abandoned() const;

    /// Common name of the peer's certificate; empty where it sent none.
    [[nodiscard]] std::string certificate_name() const;

    /// Shuts down the sending side. The caller then drains the input: closing at once with unread input would reset the
    /// connection, and the peer would lose what was sent last.
    virtual void end_sending();

    /// Sends TLS close_notify (RFC 8446, section 6.1).
    void end();

    [[nodiscard]] int descriptor() const { return socket_.impl()->sockfd(); }

  protected:
    /// Without a socket: for bytes in memory.
    Stream() = default;

  private:
    [[nodiscard]] Result<bool> fill(Deadline until);  // false: end of the stream
    [[nodiscard]] Result<std::string> read_line(std::size_t at_most, Deadline until);
    template <typename Attempt>
    [[nodiscard]] Result<std::size_t> transfer(Deadline until, const Attempt& attempt);

    Poco::Net::StreamSocket socket_;
    std::vector<char> buffer_;  ///< allocated on the first buffered read
    std::size_t first_ = 0;
    std::size_t last_ = 0;
};

}  // namespace headgate::http
