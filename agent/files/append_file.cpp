// SPDX-License-Identifier: GPL-2.0-or-later
#include "files/append_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "files/file_identity.h"
#include "files/file_lock.h"

namespace headgate {
namespace {

/// Longest last line that is examined for being torn, in bytes.
constexpr std::size_t kLongestLine = 64 * 1024;

class Lock {
  public:
    explicit Lock(int fd) : fd_(fd) {}
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() {
        if (is_held_) ::flock(fd_, LOCK_UN);
    }

    /// Returns 0 or an errno; ETIMEDOUT after `patience`.
    [[nodiscard]] int acquire(std::chrono::milliseconds patience) {
        const int fault = lock_within(fd_, LOCK_EX, patience, std::chrono::microseconds{200});
        is_held_ = fault == 0;
        return fault;
    }

  private:
    int fd_;
    bool is_held_ = false;
};

/// The number of bytes written, and the errno if that is not all.
struct Written {
    std::size_t bytes = 0;
    int fault = 0;
};

Written write_all(int fd, std::string_view text) {
    Written written;
    while (written.bytes < text.size()) {
        const auto went = ::write(fd, text.data() + written.bytes, text.size() - written.bytes);
        if (went < 0 && errno == EINTR) continue;
        if (went <= 0) {
            written.fault = went < 0 ? errno : ENOSPC;
            break;
        }
        written.bytes += static_cast<std::size_t>(went);
    }
    return written;
}

/// Reads the last bytes of a file of `size` bytes.
Result<std::string> read_end(int fd, off_t size, std::size_t at_most) {
    std::string text(std::min(at_most, static_cast<std::size_t>(size)), '\0');
    const auto got = ::pread(fd, text.data(), text.size(), size - static_cast<off_t>(text.size()));
    if (got != static_cast<ssize_t>(text.size())) return system_error(got < 0 ? errno : EIO);
    return text;
}

/// Opens for writing, and for reading if permitted; never for reading a pipe: that would make this process its reader.
Result<FileDescriptor> open_to_append(const std::filesystem::path& name, bool& is_regular) {
    // Opening must not block on a pipe or a terminal, nor make a terminal the controlling one.
    const int flags = O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    FileDescriptor file{::open(name.c_str(), O_RDWR | flags, 0640)};
    struct stat about {};
    is_regular = file.is_open() && ::fstat(file.get(), &about) == 0 && S_ISREG(about.st_mode);
    if (!is_regular) file = FileDescriptor{::open(name.c_str(), O_WRONLY | flags, 0640)};
    if (!file.is_open()) return system_error(errno, name.native());
    return file;
}

}  // namespace

bool is_whole_object(std::string_view text) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            return i + 1 == text.size();
        }
    }
    return false;
}

Result<AppendFile> AppendFile::open(const std::filesystem::path& name, TornLine torn) {
    return as_owner_of(name, [&]() -> Result<AppendFile> {
        std::error_code no_folder;
        if (name.has_parent_path()) std::filesystem::create_directories(name.parent_path(), no_folder);
        bool is_regular = false;
        auto file = open_to_append(name, is_regular);
        // Why the directory could not be created is more useful than ENOENT.
        if (!file && no_folder && file.error().number == ENOENT) return system_error(no_folder.value(), name.native());
        if (!file) return tl::unexpected(std::move(file.error()));
        return AppendFile{std::move(*file), is_regular, torn};
    });
}

Result<AppendFile::Appended> AppendFile::append(std::string_view lines, std::chrono::milliseconds patience) {
    Lock lock{file_.get()};
    if (const int fault = lock.acquire(patience); fault != 0) return system_error(fault);
    return append_locked(lines);
}

Result<AppendFile::Appended> AppendFile::append_locked(std::string_view lines) {
    Appended appended;
    const off_t begin = is_regular_ ? ::lseek(file_.get(), 0, SEEK_END) : 0;
    if (begin < 0) return system_error(errno);
    off_t end = begin;
    if (is_regular_ && begin != whole_until_) {
        ASSIGN_OR_RETURN(const auto mended, mend_last_line(begin));
        appended.removed_torn = mended;
        end = ::lseek(file_.get(), 0, SEEK_END);
    }
    const auto written = write_all(file_.get(), lines);
    appended.bytes = written.bytes;
    if (written.fault != 0) {
        const auto last = lines.substr(0, written.bytes).rfind('\n');
        appended.bytes = last == std::string_view::npos ? 0 : last + 1;
    }
    whole_until_ = end + static_cast<off_t>(appended.bytes);
    if (is_regular_ && appended.bytes != written.bytes && ::ftruncate(file_.get(), whole_until_) != 0) {
        whole_until_ = -1;
    }
    if (written.fault != 0 && appended.bytes == 0 && !appended.removed_torn) return system_error(written.fault);
    return appended;
}

Result<bool> AppendFile::mend_last_line(off_t size) {
    if (size == 0) return false;
    const auto end = read_end(file_.get(), size, 1);
    if (end && *end == "\n") return false;
    // Opened with O_WRONLY: the last line cannot be read.
    if (!end) return end.error().number == EBADF ? Result<bool>{false} : tl::unexpected(end.error());
    ASSIGN_OR_RETURN(const auto last, read_end(file_.get(), size, kLongestLine));
    const auto before = last.rfind('\n');
    const bool begins_here = before != std::string::npos || static_cast<off_t>(last.size()) == size;
    const auto line = std::string_view{last}.substr(before == std::string::npos ? 0 : before + 1);
    const bool may_go = torn_ == TornLine::Remove && begins_here && line.starts_with('{') && !is_whole_object(line);
    // If truncating fails (an append-only file), the line gets a newline instead.
    if (may_go && ::ftruncate(file_.get(), size - static_cast<off_t>(line.size())) == 0) return true;
    const auto written = write_all(file_.get(), "\n");
    return written.fault == 0 ? Result<bool>{false} : system_error(written.fault);
}

Result<void> AppendFile::keep_room(off_t bytes) {
    const auto size = ::lseek(file_.get(), 0, SEEK_END);
    if (size < 0 || ::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, size, bytes) == 0) return {};
    // Some file systems and special files do not support fallocate(2): no error.
    const bool is_full = kind_of_errno(errno) == ErrorKind::DiskFault;
    return is_full ? system_error(errno) : Result<void>{};
}

bool AppendFile::is_named(const std::filesystem::path& name) const {
    struct stat mine {};
    struct stat there {};
    return ::fstat(file_.get(), &mine) == 0 && ::stat(name.c_str(), &there) == 0 && mine.st_dev == there.st_dev &&
           mine.st_ino == there.st_ino;
}

}  // namespace headgate
