// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <mutex>

#include "threads/guarded.h"

namespace headgate::daemon {
namespace {

struct SeverityText {
    std::string_view
        in_journal;  ///< the prefix that the journal parses as a line's severity (sd-daemon(3): syslog levels)
    std::string_view elsewhere;
};

/// In the order of Severity.
constexpr SeverityText kSeverities[] = {{"<3>", "error: "}, {"<4>", "warning: "}, {"<6>", ""}};

std::uint64_t lines_lost = 0;  ///< guarded by `alone`
std::mutex alone;              ///< keeps lines apart, and poll(2) and write together

/// The file type of stderr, which stays the same; 0 where it is closed.
mode_t type_of_stderr() {
    struct stat facts {};
    return ::fstat(STDERR_FILENO, &facts) == 0 ? facts.st_mode : 0;
}

/// Whether stderr is writable now: writing to a full socket (the journal's) or a full pipe would block.
bool accepts_more() {
    pollfd on{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&on, 1, 0) == 1 && (on.revents & POLLOUT) != 0;
}

/// A file accepts everything, a pipe that is writable PIPE_BUF bytes at once (pipe(7)). A blocking write to a stream
/// socket waits if the line exceeds the free buffer; with MSG_DONTWAIT a part is sent.
bool write_now(std::string_view line) {
    static const mode_t type = type_of_stderr();
    if (S_ISREG(type)) return ::write(STDERR_FILENO, line.data(), line.size()) >= 0;
    if (!accepts_more()) return false;
    if (S_ISSOCK(type)) return ::send(STDERR_FILENO, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    return ::write(STDERR_FILENO, line.data(), std::min<std::size_t>(line.size(), PIPE_BUF)) >= 0;
}

/// Never blocks or fails because of a log message.
void write_or_lose(std::string_view line) {
    const std::lock_guard lock{alone};
    if (lines_lost != 0) {
        const auto note = fmt::format(
            "headgate: {} lines of this log were lost: the reader of standard error did not keep up\n", lines_lost);
        if (write_now(note)) lines_lost = 0;
    }
    if (!write_now(line)) ++lines_lost;
}

}  // namespace

void log(Severity severity, std::string_view message) {
    const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;  // NOLINT(concurrency-mt-unsafe): never set here
    fmt::memory_buffer line;
    const auto& [in_journal, elsewhere] = kSeverities[static_cast<std::size_t>(severity)];
    fmt::format_to(std::back_inserter(line), "{}headgate: {}\n", journal ? in_journal : elsewhere, message);
    write_or_lose({line.data(), line.size()});
}

void log_fault(const Error& fault) noexcept {
    static_cast<void>(guarded([&] { log(Severity::Error, fault.message); }));
}

}  // namespace headgate::daemon
