// SPDX-License-Identifier: GPL-2.0-or-later
// A file of lines that several processes may append to without ever leaving a partial line.
//
// Writers hold flock(2), so that an incomplete write (full disk) can be undone without touching lines of other
// processes. A process killed during a write may leave a torn last line, which the next writer repairs first.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate {

/// How to repair a torn last line.
enum class TornLine : std::uint8_t {
    End,     ///< appends a newline
    Remove,  ///< removes an incomplete JSON object, unless it is very long; otherwise appends a newline
};

/// Whether the text is one complete JSON object, judged by its braces: then only the newline is missing.
[[nodiscard]] bool is_whole_object(std::string_view text);

/// Not thread-safe.
class AppendFile {
  public:
    struct Appended {
        std::size_t bytes = 0;      ///< bytes of the text that were appended: whole lines
        bool removed_torn = false;  ///< a torn line was removed first
    };

    /// Creates the file and its directory if missing; root does so as the user that the path belongs to
    /// (file_identity.h). Other files than regular ones can be appended to, but an incomplete write cannot be undone.
    [[nodiscard]] static Result<AppendFile> open(const std::filesystem::path& name, TornLine torn);

    /// Appends lines, each with its newline. A write may be partial if not all lines fit. On error nothing was written;
    /// ETIMEDOUT: another process held the lock for `patience`.
    [[nodiscard]] Result<Appended> append(std::string_view lines, std::chrono::milliseconds patience);

    /// Reserves space for the next append, if the file system can. On error there is no space.
    [[nodiscard]] Result<void> keep_room(off_t bytes);

    /// Whether the file still has this name, that is, has not been renamed or replaced.
    [[nodiscard]] bool is_named(const std::filesystem::path& name) const;

  private:
    AppendFile(FileDescriptor file, bool is_regular, TornLine torn)
        : file_(std::move(file)), is_regular_(is_regular), torn_(torn) {}

    [[nodiscard]] Result<Appended> append_locked(std::string_view lines);

    /// Returns whether it removed a line.
    [[nodiscard]] Result<bool> mend_last_line(off_t size);

    FileDescriptor file_;
    bool is_regular_ = false;
    TornLine torn_ = TornLine::End;
    off_t whole_until_ = -1;  ///< end of the last line that this object wrote; other processes wrote what follows
};

}  // namespace headgate
