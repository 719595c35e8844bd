// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/standard_output_sink.h"

#include <limits.h>  // NOLINT(modernize-deprecated-headers): PIPE_BUF is POSIX's
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

#include "flowlog/sinks/fault.h"
#include "flowlog/sinks/waiting.h"

namespace headgate::flowlog {
namespace {

void append_line(std::string& out, std::string_view /*before*/, std::string_view line) {
    out.append(line).push_back('\n');
}

/// Does not block after poll(2) has reported the descriptor writable: a pipe then has room for PIPE_BUF bytes
/// (pipe(7)), and a longer write would block until its reader reads. O_NONBLOCK would affect every process that shares
/// the pipe. For a socket, MSG_DONTWAIT applies to a single call.
ssize_t write_some(int fd, std::string_view text) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0 || errno != ENOTSOCK) return sent;
    return ::write(fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
}

}  // namespace

Result<Written> StandardOutputSink::write(const LineBlock& block, std::size_t first) {
    buffer_.begin(block, first, {.before = {}, .append = append_line});
    const int number = send();
    const auto went = buffer_.finish(block, first);
    if (went > 0 || number == 0) return Written{.lines = went, .too_long = 0, .note = {}};
    return fault(number);
}

/// Returns 0 if everything was written, otherwise an errno.
int StandardOutputSink::send() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!buffer_.unsent().empty()) {
        if (const int number = wait_until_writable(fd_, deadline); number != 0) return number;
        const auto went = write_some(fd_, buffer_.unsent());
        if (went >= 0) buffer_.sent(static_cast<std::size_t>(went));
        if (went < 0 && errno != EAGAIN && errno != EINTR) return errno;
        if (std::chrono::steady_clock::now() >= deadline && !buffer_.unsent().empty()) return ETIMEDOUT;
    }
    return 0;
}

}  // namespace headgate::flowlog
