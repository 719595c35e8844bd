// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the lines of a file that records are appended to: existing lines and, later, new ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::flowlog {

/// Not thread-safe.
class RecordFile {
  public:
    using LineTest = std::function<bool(std::string_view line)>;
    using LineSink = std::function<Result<void>(std::string_view line)>;

    /// Longer lines are truncated, and are then not valid records. In bytes.
    static constexpr std::size_t kLongestLine = std::size_t{128} * 1024;

    [[nodiscard]] static Result<RecordFile> open(std::filesystem::path path);

    /// Goes back from the end, line by line, while `further` returns true. read() then starts with the last line that
    /// was passed to `pass`.
    [[nodiscard]] Result<void> go_back(const std::function<bool()>& further,
                                       const std::function<void(std::string_view line)>& pass);

    /// The text after the last newline when go_back() began: a partial line, or a whole one without its newline.
    [[nodiscard]] const std::string& unended() const noexcept { return unended_; }

    /// Goes back to the `count`-th last line that `wanted` accepts, or to the first line. read() then starts there.
    [[nodiscard]] Result<void> go_to_last(std::uint64_t count, const LineTest& wanted);

    /// Passes on the lines that were added since the last call, without their newlines. A partial line is kept until it
    /// is complete. If the file was renamed and another file has its name, the rest of the old file is read first. A
    /// truncated file is read from its beginning.
    [[nodiscard]] Result<void> read(const LineSink& sink);

  private:
    RecordFile(std::filesystem::path path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}

    [[nodiscard]] Result<void> read_on(const LineSink& sink);
    [[nodiscard]] Result<void> split(std::string_view text, const LineSink& sink);
    [[nodiscard]] bool was_emptied() const;
    [[nodiscard]] FileDescriptor successor() const;
    void begin_with(FileDescriptor file);

    std::filesystem::path path_;
    FileDescriptor file_;
    std::uint64_t offset_ = 0;  ///< the file has been read up to here
    std::string half_;          ///< partial line before `offset_`
    std::string unended_;
};

}  // namespace headgate::flowlog
