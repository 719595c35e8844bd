// A file of lines that several processes may append to, none of which ever leaves half a line there.
//
// Who appends holds flock(2), so that what did not fit (a full disk) can be taken back without another one's lines. A
// process that is killed in the middle of a write may leave a torn last line: whoever comes next mends it first.
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

/// What to do with a torn last line.
enum class TornLine : std::uint8_t {
    End,      ///< gives it a line end
    TakeOff,  ///< a JSON object that is not whole is taken off, if it is not very long; all else is ended
};

/// Whether a JSON object that begins here also ends, with the text: then nothing but the line end is missing.
[[nodiscard]] bool is_whole_object(std::string_view text);

/// Not thread-safe.
class AppendFile {
  public:
    struct Appended {
        std::size_t bytes = 0;  ///< from the beginning of the text: whole lines
        bool took_off = false;  ///< a torn line that stood there before
    };

    /// Makes the file, and its folder, where they are missing; root does it as whom the path leads to
    /// (file_identity.h). What is no regular file can be appended to as well, but
    /// nothing can be taken back from it.
    [[nodiscard]] static Result<AppendFile> open(const std::filesystem::path& name, TornLine torn);

    /// Appends lines, each with its line end. Some may go though all do not fit. An error: none went; ETIMEDOUT: for so
    /// long somebody else was appending.
    [[nodiscard]] Result<Appended> append(std::string_view lines, std::chrono::milliseconds patience);

    /// Sets room aside for what is appended next, where the file system can. An error: there is none.
    [[nodiscard]] Result<void> keep_room(off_t bytes);

    /// Whether this is still the file of that name, or it was moved away.
    [[nodiscard]] bool is_named(const std::filesystem::path& name) const;

  private:
    AppendFile(FileDescriptor file, bool is_regular, TornLine torn)
        : file_(std::move(file)), is_regular_(is_regular), torn_(torn) {}

    [[nodiscard]] Result<Appended> append_locked(std::string_view lines);

    /// Whether it took one off.
    [[nodiscard]] Result<bool> mend_last_line(off_t size);

    FileDescriptor file_;
    bool is_regular_ = false;
    TornLine torn_ = TornLine::End;
    off_t whole_until_ = -1;  ///< where this object's last line ended; what is beyond is somebody else's
};

}  // namespace headgate
