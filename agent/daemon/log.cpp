#include "daemon/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

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

}  // namespace

void log(Severity severity, std::string_view message) {
    const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;  // NOLINT(concurrency-mt-unsafe): set by nobody here
    fmt::memory_buffer line;
    fmt::format_to(std::back_inserter(line), "{}headgate: {}\n", journal ? journal_prefix(severity) : word(severity),
                   message);
    // What cannot be written is lost: a message is no reason to stop.
    static_cast<void>(::write(STDERR_FILENO, line.data(), line.size()));
}

}  // namespace headgate::daemon
