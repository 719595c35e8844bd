// SPDX-License-Identifier: GPL-2.0-or-later
// The terminal, if there is one: width, colours, progress and questions. Messages go to stderr, data to stdout.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::cli {

/// The terminal's width in columns; absent if stdout is not a terminal.
[[nodiscard]] std::optional<std::size_t> stdout_width();

/// Whether to colour stdout: it is a terminal, and NO_COLOR is unset or empty (no-color.org).
[[nodiscard]] bool stdout_has_colour();

/// Whether a user can answer a question: stdin and stderr are terminals.
[[nodiscard]] bool can_ask();

/// Asks on stderr and reads a line from stdin; only `y` and `yes` mean yes.
[[nodiscard]] bool ask(std::string_view question);

/// Writes the text unchanged to stderr. Ignores errors, because a lost message is no reason to stop half-way.
void write_to_stderr(std::string_view text) noexcept;

/// Prints one line on stderr: `headgate: ...`.
void note(std::string_view message);

/// Prints `headgate: warning: ...`.
void warn(std::string_view message);

/// A line on stderr that is overwritten as work proceeds. Silent if stderr is not a terminal, and for short work.
class Progress {
  public:
    Progress();
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void show(std::string_view doing, std::uint64_t count);

    /// Erases the line, so that other output can follow.
    void clear();

  private:
    bool enabled_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point next_;
};

}  // namespace headgate::cli
