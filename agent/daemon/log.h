// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's log: lines on stderr, which systemd connects to the journal.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "headgate/result.h"

namespace headgate::daemon {

enum class Severity : std::uint8_t { Error, Warning, Info };

/// Never blocks: a line that stderr does not accept is lost, and the next line is preceded by the number of lost ones.
/// Thread-safe.
void log(Severity severity, std::string_view message);

/// Logs an exception. Logs nothing if there is no memory to do so.
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

/// Logs an error that lasts when it begins or changes, not each time it is found again.
class LastingError {
  public:
    /// `message` is empty where there is no error.
    void note(std::string_view about, std::string message) {
        if (!message.empty() && message != last_) log_error("{}: {}", about, message);
        last_ = std::move(message);
    }

  private:
    std::string last_;
};

}  // namespace headgate::daemon
