// SPDX-License-Identifier: GPL-2.0-or-later
// Writes records to a descriptor that is shared with other processes: standard output.
#pragma once

#include <cstddef>

#include "headgate/result.h"

#include "flowlog/line_block.h"
#include "flowlog/sink.h"
#include "flowlog/sinks/stream_buffer.h"

namespace headgate::flowlog {

/// SIGPIPE must be ignored.
class StandardOutputSink final : public Sink {
  public:
    explicit StandardOutputSink(int fd) : fd_(fd) {}

    [[nodiscard]] Result<Written> write(const LineBlock& block, std::size_t first) override;

  private:
    [[nodiscard]] int send();

    int fd_;
    StreamBuffer buffer_;
};

}  // namespace headgate::flowlog
