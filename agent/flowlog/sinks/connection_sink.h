// Records over a connection (TCP, a Unix stream socket), made anew whenever it breaks.
#pragma once

#include <chrono>
#include <cstddef>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "flowlog/line_block.h"
#include "flowlog/sink.h"
#include "flowlog/sinks/socket_address.h"
#include "flowlog/sinks/stream_buffer.h"

namespace headgate::flowlog {

/// What the kernel has taken over counts as written: whether the reader got it before the connection broke, no syslog
/// tells (RFC 6587, section 3.1). A record of which a part was taken over then is sent again as a whole.
class ConnectionSink final : public Sink {
  public:
    ConnectionSink(SocketAddress to, Framing frame) : to_(std::move(to)), frame_(std::move(frame)) {}

    [[nodiscard]] Result<Written> write(const LineBlock& block, std::size_t first) override;

  private:
    [[nodiscard]] int connect();
    [[nodiscard]] int begin_to_connect();
    [[nodiscard]] int wait_for_connection();
    [[nodiscard]] bool is_closed_by_reader() const;
    [[nodiscard]] int send();
    void close();

    SocketAddress to_;
    Framing frame_;
    FileDescriptor socket_;
    bool is_connected_ = false;
    std::chrono::steady_clock::time_point connecting_since_;
    StreamBuffer buffer_;
};

}  // namespace headgate::flowlog
