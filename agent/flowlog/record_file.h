// A file that records are appended to: its lines, those that are there and those that come.
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

    /// What is longer than this is cut, and then no record.
    static constexpr std::size_t kLongestLine = std::size_t{128} * 1024;

    [[nodiscard]] static Result<RecordFile> open(std::filesystem::path path);

    /// Goes back from the end, line by line, for as long as it is to go further. read() will begin with the last one
    /// that was passed.
    [[nodiscard]] Result<void> go_back(const std::function<bool()>& further,
                                       const std::function<void(std::string_view line)>& pass);

    /// What stood behind the last line end when go_back() began: half a line, or one whose end is still to come.
    [[nodiscard]] const std::string& unended() const noexcept { return unended_; }

    /// read() will begin with the last but `count` line that is wanted; with the first one where there are fewer.
    [[nodiscard]] Result<void> go_to_last(std::uint64_t count, const LineTest& wanted);

    /// Hands on the lines that have come since the last time, without their ends. Half a line waits until it is whole.
    /// When the file was moved away and another one has its name, what is left of the old one comes first. A file that
    /// was emptied is read from its beginning.
    [[nodiscard]] Result<void> read(const LineSink& take);

  private:
    RecordFile(std::filesystem::path path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}

    [[nodiscard]] Result<void> read_on(const LineSink& take);
    [[nodiscard]] Result<void> split(std::string_view text, const LineSink& take);
    [[nodiscard]] bool was_emptied() const;
    [[nodiscard]] FileDescriptor successor() const;
    void begin_with(FileDescriptor file);

    std::filesystem::path path_;
    FileDescriptor file_;
    std::uint64_t offset_ = 0;  ///< up to where the file was read
    std::string half_;          ///< of the line before that, which has no end yet
    std::string unended_;
};

}  // namespace headgate::flowlog
