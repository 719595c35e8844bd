// The daemon's log: a line on stderr, which under systemd is the journal.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "headgate/result.h"

namespace headgate::daemon {

enum class Severity : std::uint8_t { Error, Warning, Info };

/// Never waits: where the other end does not take the line, it is lost, and the next one says how many were.
/// Thread-safe.
void log(Severity severity, std::string_view message);

/// Of an exception. Where there is no memory to say more, nothing is said.
void log_fault(const Error& fault) noexcept;

template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
    log(Severity::Error, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
    log(Severity::Warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
    log(Severity::Info, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace headgate::daemon
