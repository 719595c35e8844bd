// SPDX-License-Identifier: GPL-2.0-or-later
// Sends records as a byte stream: over a connection, and to standard output.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "flowlog/line_block.h"
#include "flowlog/sinks/sink.h"
#include "flowlog/sinks/socket_address.h"

namespace headgate::flowlog {

/// How a record is framed in the stream.
struct Framing {
    std::function<std::string()> before;  ///< called once per send(); null: nothing
    std::function<void(std::string& out, std::string_view before, std::string_view line)> append;
};

/// Writes lines to a byte stream, which may accept part of one. The rest of a partly sent line is kept and sent before
/// anything else.
class StreamBuffer {
  public:
    struct Sent {
        std::size_t lines = 0;  ///< lines of the block that were sent completely
        int fault = 0;          ///< an errno if that is not all; ETIMEDOUT after kPatience
    };

    /// Sends lines of the block from `first` on, as many as should be sent together. If the partly sent line is not the
    /// first of them (it was dropped from the queue), it is completed but not counted.
    [[nodiscard]] Sent send(int fd, const LineBlock& block, std::size_t first, const Framing& frame);

    /// Begins a new stream, without a partial record.
    void restart() noexcept;

  private:
    void fill(const LineBlock& block, std::size_t first, const Framing& frame);
    [[nodiscard]] int write_all(int fd);
    [[nodiscard]] std::size_t discard_sent(const LineBlock& block, std::size_t first);

    std::string text_;
    std::vector<std::size_t> ends_;  ///< offsets in `text_` at which records end
    std::size_t sent_ = 0;
    std::size_t foreign_ = 0;  ///< records at the beginning that are not of this block: 0 or 1
    std::string half_;         ///< the line of a partly sent record
};

/// Sends over a connection (TCP or Unix stream socket), and connects again whenever it breaks. Data that the kernel
/// accepted counts as written: syslog has no acknowledgement of what the peer received before the connection broke
/// (RFC 6587, section 3.1). A partly sent record is sent again as a whole.
class ConnectionSink final : public Sink {
  public:
    ConnectionSink(SocketAddress to, Framing frame) : to_(std::move(to)), frame_(std::move(frame)) {}

    [[nodiscard]] Result<Written> write(const LineBlock& block, std::size_t first) override;

  private:
    [[nodiscard]] int connect();
    [[nodiscard]] int begin_to_connect();
    [[nodiscard]] int wait_for_connection();
    [[nodiscard]] bool is_closed_by_reader() const;
    void close();

    SocketAddress to_;
    Framing frame_;
    FileDescriptor socket_;
    bool is_connected_ = false;
    std::chrono::steady_clock::time_point connecting_since_;
    StreamBuffer buffer_;
};

/// Writes to a descriptor that is shared with other processes: standard output. SIGPIPE must be ignored.
class StandardOutputSink final : public Sink {
  public:
    explicit StandardOutputSink(int fd) : fd_(fd) {}

    [[nodiscard]] Result<Written> write(const LineBlock& block, std::size_t first) override;

  private:
    int fd_;
    StreamBuffer buffer_;
};

}  // namespace headgate::flowlog
