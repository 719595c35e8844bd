#include "daemon/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <mutex>

#include "threads/guarded.h"

namespace headgate::daemon {
namespace {

/// What the journal takes for the severity of a line (sd-daemon(3): syslog's levels).
std::string_view journal_prefix(Severity severity) {
    switch (severity) {
        case Severity::Error:
            return "<3>";
        case Severity::Warning:
            return "<4>";
        case Severity::Info:
            return "<6>";
    }
    return {};
}

std::string_view word(Severity severity) {
    switch (severity) {
        case Severity::Error:
            return "error: ";
        case Severity::Warning:
            return "warning: ";
        case Severity::Info:
            return "";
    }
    return {};
}

std::uint64_t lines_lost = 0;  ///< under `alone`
std::mutex alone;              ///< two lines do not mingle, and none comes between the look and the write

/// Whether stderr takes something just now: a socket (the journal's) or a pipe that is full would keep us waiting.
bool takes_more() {
    pollfd on{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&on, 1, 0) == 1 && (on.revents & POLLOUT) != 0;
}

/// A stream socket takes more than it has room for, and waits; told not to, it takes a part.
bool write_now(std::string_view line) {
    if (!takes_more()) return false;
    if (::send(STDERR_FILENO, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    // No socket. A pipe that takes more takes PIPE_BUF bytes at once (pipe(7)); a file takes all.
    return errno == ENOTSOCK && ::write(STDERR_FILENO, line.data(), std::min<std::size_t>(line.size(), PIPE_BUF)) >= 0;
}

/// A message is no reason to stop, nor to wait.
void write_or_lose(std::string_view line) {
    const std::lock_guard lock{alone};
    if (lines_lost != 0) {
        const auto note = fmt::format("headgate: {} lines of this log were lost: nobody took them\n", lines_lost);
        if (write_now(note)) lines_lost = 0;
    }
    if (!write_now(line)) ++lines_lost;
}

}  // namespace

void log(Severity severity, std::string_view message) {
    const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;  // NOLINT(concurrency-mt-unsafe): set by nobody here
    fmt::memory_buffer line;
    fmt::format_to(std::back_inserter(line), "{}headgate: {}\n", journal ? journal_prefix(severity) : word(severity),
                   message);
    write_or_lose({line.data(), line.size()});
}

void log_fault(const Error& fault) noexcept {
    static_cast<void>(guarded([&]() -> Result<void> {
        log(Severity::Error, fault.message);
        return {};
    }));
}

}  // namespace headgate::daemon
