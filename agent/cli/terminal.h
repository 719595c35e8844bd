// SPDX-License-Identifier: GPL-2.0-or-later
// The terminal, if there is one: its width, colours, progress and questions. Messages go to stderr, data to stdout.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::cli {

/// Columns of the terminal that stdout is; absent where it is none.
[[nodiscard]] std::optional<std::size_t> stdout_width();

/// Whether stdout wants colour: a terminal, and NO_COLOR is not set (no-color.org).
[[nodiscard]] bool stdout_has_colour();

/// Whether somebody is there to answer a question.
[[nodiscard]] bool can_ask();

/// Asks on stderr and reads a line from stdin; only `y` and `yes` mean yes.
[[nodiscard]] bool ask(std::string_view question);

/// Writes to stderr as it is. What cannot be written is lost: a message is never a reason to stop half-way.
void write_to_stderr(std::string_view text) noexcept;

/// One line on stderr, `headgate: ...`.
void tell(std::string_view message);

/// `headgate: warning: ...`
void warn(std::string_view message);

/// A line on a terminal's stderr that is overwritten as work goes on. Silent elsewhere, and for work that is over soon.
class Progress {
  public:
    Progress();
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void show(std::string_view doing, std::uint64_t count);

    /// Takes the line away, so that something else can be written.
    void clear();

  private:
    bool enabled_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point next_;
};

}  // namespace headgate::cli
