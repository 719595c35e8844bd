// SPDX-License-Identifier: GPL-2.0-or-later
// A buffered way out to a file descriptor, for rows by the million.
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

    /// Sends what has gathered once it is worth it.
    Result<void> written();

    /// Sends everything. EPIPE, the reader went away, is an error like any other; callers decide that it is none.
    Result<void> flush();

  private:
    int fd_;
    fmt::memory_buffer buffer_;
};

/// The same result, but a reader that closed the pipe early (EPIPE) is no error.
[[nodiscard]] Result<void> unless_unread(Result<void> written);

/// Writes a text to stdout.
[[nodiscard]] Result<ExitCode> print(std::string_view text);

}  // namespace headgate::cli
