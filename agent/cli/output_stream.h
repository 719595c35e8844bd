// SPDX-License-Identifier: GPL-2.0-or-later
// Buffered output to a file descriptor, for millions of rows.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "headgate/result.h"

#include "cli/exit_code.h"

namespace headgate::cli {

class OutputStream {
  public:
    explicit OutputStream(int fd) : fd_(fd) {}

    /// Append here, then call written().
    [[nodiscard]] fmt::memory_buffer& buffer() noexcept { return buffer_; }

    /// Sends the buffer if it is large enough.
    Result<void> written();

    /// Sends the whole buffer. EPIPE, a closed pipe, is an error here; callers can ignore it with unless_unread().
    Result<void> flush();

  private:
    int fd_;
    fmt::memory_buffer buffer_;
};

/// Returns its argument, or success if the reader closed the pipe early (EPIPE).
[[nodiscard]] Result<void> unless_unread(Result<void> written);

/// Writes a text to stdout.
[[nodiscard]] Result<ExitCode> print(std::string_view text);

}  // namespace headgate::cli
