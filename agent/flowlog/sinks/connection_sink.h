// SPDX-License-Identifier: GPL-2.0-or-later
// Sends records over a connection (TCP or Unix stream socket), and connects again whenever it breaks.
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

/// Data that the kernel accepted counts as written: syslog has no acknowledgement of what the peer received before the
/// connection broke (RFC 6587, section 3.1). A partly sent record is sent again as a whole.
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
