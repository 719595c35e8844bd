// SPDX-License-Identifier: GPL-2.0-or-later
// Appends records to a file.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>

#include "headgate/result.h"

#include "files/append_file.h"
#include "flowlog/line_block.h"
#include "flowlog/sinks/sink.h"

namespace headgate::flowlog {

/// Notices within a second that the file was renamed, even without reopen().
class FileSink final : public Sink {
  public:
    explicit FileSink(std::filesystem::path file) : name_(std::move(file)) {}

    [[nodiscard]] Result<void> prepare() override { return open(); }
    [[nodiscard]] Result<Written> write(const LineBlock& block, std::size_t first) override;
    void reopen() override { file_.reset(); }

  private:
    [[nodiscard]] Result<void> open();
    void look_after();

    std::filesystem::path name_;
    std::optional<AppendFile> file_;
    std::chrono::steady_clock::time_point looked_at_;
};

}  // namespace headgate::flowlog
