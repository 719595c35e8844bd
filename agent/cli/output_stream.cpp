// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output_stream.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace headgate::cli {
namespace {

constexpr std::size_t kWorthSending = 128 * 1024;

/// Needed if another process has made the shared open file non-blocking.
void wait_until_writable(int fd) {
    pollfd waiting{fd, POLLOUT, 0};
    ::poll(&waiting, 1, -1);
}

}  // namespace

Result<void> OutputStream::written() {
    return buffer_.size() < kWorthSending ? Result<void>{} : flush();
}

Result<void> OutputStream::flush() {
    const char* rest = buffer_.data();
    for (std::size_t left = buffer_.size(); left > 0;) {
        const ssize_t sent = ::write(fd_, rest, left);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) {
            wait_until_writable(fd_);
            continue;
        }
        if (sent < 0) {
            buffer_.clear();
            return system_error(errno, "writing the output");
        }
        rest += sent;
        left -= static_cast<std::size_t>(sent);
    }
    buffer_.clear();
    return {};
}

Result<void> unless_unread(Result<void> written) {
    return !written && written.error().number == EPIPE ? Result<void>{} : written;
}

Result<ExitCode> print(std::string_view text) {
    OutputStream out{STDOUT_FILENO};
    out.buffer().append(text);
    return done(unless_unread(out.flush()));
}

}  // namespace headgate::cli
