// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/record_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

namespace headgate::flowlog {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;

FileDescriptor open_to_read(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a pipe without a writer would block.
    return FileDescriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
}

std::optional<struct stat> status_of(const FileDescriptor& file) {
    struct stat status {};
    return ::fstat(file.get(), &status) == 0 ? std::optional{status} : std::nullopt;
}

std::uint64_t size_of(const FileDescriptor& file) {
    const auto status = status_of(file);
    return status ? static_cast<std::uint64_t>(status->st_size) : 0;
}

/// Fills `room`; returns fewer bytes at the end of the file.
Result<std::size_t> read_at(const FileDescriptor& file, std::span<char> room, std::uint64_t offset) {
    std::size_t got = 0;
    while (got < room.size()) {
        const auto more = ::pread(file.get(), room.data() + got, room.size() - got, static_cast<off_t>(offset + got));
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) return system_error(errno, "reading the flow log");
        if (more == 0) break;
        got += static_cast<std::size_t>(more);
    }
    return got;
}

/// Iterates over the whole lines of a file, last line first.
class LinesBackwards {
  public:
    struct Line {
        std::uint64_t begin = 0;
        std::string text;
    };

    explicit LinesBackwards(const FileDescriptor& file) : file_(file), begin_(size_of(file)) {}

    /// Returns the offset at which the last whole line ends. Must be called first.
    [[nodiscard]] Result<std::uint64_t> skip_half_line() {
        ASSIGN_OR_RETURN(const auto found, find_line_end());
        over_ = !found;
        half_ = over_ ? text_ : text_.substr(*found + 1);
        if (over_) return 0;
        text_.resize(*found);
        return begin_ + text_.size() + 1;
    }

    /// The text after the last whole line.
    [[nodiscard]] const std::string& half_line() const noexcept { return half_; }

    [[nodiscard]] Result<std::optional<Line>> previous() {
        if (over_) return std::nullopt;
        ASSIGN_OR_RETURN(const auto found, find_line_end());
        over_ = !found;
        if (over_) return Line{0, std::move(text_)};
        Line line{begin_ + *found + 1, text_.substr(*found + 1)};
        text_.resize(*found);
        return line;
    }

  private:
    /// Index of the last newline in `text_`; reads more of the file until one is found.
    Result<std::optional<std::size_t>> find_line_end() {
        for (;;) {
            if (const auto found = text_.rfind('\n'); found != std::string::npos) return found;
            if (begin_ == 0) return std::nullopt;
            RETURN_IF_ERROR(add_block());
        }
    }
    Result<void> add_block() {
        std::string block(std::min<std::uint64_t>(begin_, kBlock), '\0');
        ASSIGN_OR_RETURN(const auto got, read_at(file_, block, begin_ - block.size()));
        if (got < block.size()) return failed("the flow log was emptied while it was read");
        begin_ -= block.size();
        text_.insert(0, block);
        if (text_.find('\n') == std::string::npos) text_.resize(std::min(text_.size(), RecordFile::kLongestLine));
        return {};
    }

    const FileDescriptor& file_;
    std::uint64_t begin_;  ///< offset of `text_` in the file
    std::string text_;     ///< ends with the line that previous() returns next
    std::string half_;
    bool over_ = false;
};

}  // namespace

Result<RecordFile> RecordFile::open(std::filesystem::path path) {
    auto file = open_to_read(path);
    if (!file.is_open()) return system_error(errno, path.native());
    const auto status = status_of(file);
    if (!status || !S_ISREG(status->st_mode)) return failed("{}: not a file", path.native());
    return RecordFile{std::move(path), std::move(file)};
}

Result<void> RecordFile::go_to_last(std::uint64_t count, const LineTest& wanted) {
    return go_back([&] { return count > 0; }, [&](std::string_view line) { count -= wanted(line) ? 1U : 0U; });
}

Result<void> RecordFile::go_back(const std::function<bool()>& further,
                                 const std::function<void(std::string_view line)>& pass) {
    LinesBackwards lines{file_};
    ASSIGN_OR_RETURN(const auto end, lines.skip_half_line());
    offset_ = end;
    unended_ = lines.half_line();
    while (further()) {
        ASSIGN_OR_RETURN(const auto line, lines.previous());
        offset_ = line ? line->begin : 0;
        if (!line) return {};
        pass(line->text);
    }
    return {};
}

Result<void> RecordFile::read(const LineSink& sink) {
    if (was_emptied()) begin_with(std::move(file_));
    RETURN_IF_ERROR(read_on(sink));
    auto next = successor();
    if (!next.is_open()) return {};
    RETURN_IF_ERROR(read_on(sink));
    if (!half_.empty()) {
        RETURN_IF_ERROR(sink(half_));
    }
    begin_with(std::move(next));
    return read_on(sink);
}

void RecordFile::begin_with(FileDescriptor file) {
    file_ = std::move(file);
    offset_ = 0;
    half_.clear();
}

Result<void> RecordFile::read_on(const LineSink& sink) {
    std::array<char, kBlock> room;  // NOLINT(cppcoreguidelines-pro-type-member-init): only what is written is read
    for (;;) {
        ASSIGN_OR_RETURN(const auto got, read_at(file_, room, offset_));
        offset_ += got;
        RETURN_IF_ERROR(split({room.data(), got}, sink));
        if (got < room.size()) return {};
    }
}

Result<void> RecordFile::split(std::string_view text, const LineSink& sink) {
    for (;;) {
        const auto end = text.find('\n');
        const auto part = text.substr(0, end);
        if (end != std::string_view::npos && half_.empty()) {
            RETURN_IF_ERROR(sink(part));
        } else {
            half_.append(part.substr(0, kLongestLine - std::min(kLongestLine, half_.size())));
            if (end == std::string_view::npos) return {};
            RETURN_IF_ERROR(sink(std::exchange(half_, {})));
        }
        text.remove_prefix(end + 1);
    }
}

/// Detects truncation, as by logrotate's copytruncate. A file that has grown again beyond `offset_` is not recognized.
bool RecordFile::was_emptied() const {
    return size_of(file_) < offset_;
}

/// The file that has the name now, once it is not empty: until then the writer still uses the old one.
FileDescriptor RecordFile::successor() const {
    auto named = open_to_read(path_);
    if (!named.is_open()) return {};
    const auto its = status_of(named);
    const auto ours = status_of(file_);
    const bool other = its && ours && (its->st_ino != ours->st_ino || its->st_dev != ours->st_dev);
    return other && S_ISREG(its->st_mode) && its->st_size > 0 ? std::move(named) : FileDescriptor{};
}

}  // namespace headgate::flowlog
