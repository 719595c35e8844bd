// SPDX-License-Identifier: GPL-2.0-or-later
// A block of whole lines (records) that are passed to sinks together.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "flowlog/unwritten_mark.h"

namespace headgate::flowlog {

class LineBlock {
  public:
    /// Size from which a block should be sent. Larger blocks are mapped from the kernel page by page (mallopt(3),
    /// M_MMAP_THRESHOLD: 128 KiB), which takes longer than writing the lines.
    static constexpr std::size_t kFull = std::size_t{96} * 1024;

    /// The buffer of the current line, which end_line() completes.
    [[nodiscard]] fmt::memory_buffer& text() noexcept { return text_; }

    void end_line() {
        text_.push_back('\n');
        ends_.push_back(text_.size());
    }

    /// Removes text not completed by end_line(), after an exception.
    void drop_unended() { text_.resize(begin_of(ends_.size())); }

    /// Keeps the mark for the lifetime of this block.
    void keep(const std::shared_ptr<const UnwrittenMark>& mark) {
        if (mark && (marks_.empty() || marks_.back() != mark)) marks_.push_back(mark);
    }

    /// Some of the lines are dropped because the process exits or their sink was removed.
    void give_up() const {
        for (const auto& each : marks_)
            each->given_up();
    }

    [[nodiscard]] std::size_t count() const noexcept { return ends_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return text_.size(); }

    /// The line without its newline.
    [[nodiscard]] std::string_view line(std::size_t index) const {
        const auto lines = from(index);
        return lines.substr(0, ends_[index] - begin_of(index) - 1);
    }

    /// The lines from `first` on, each with its newline.
    [[nodiscard]] std::string_view from(std::size_t first) const {
        return std::string_view{text_.data(), text_.size()}.substr(begin_of(first));
    }

    /// The number of whole lines in the first `bytes` bytes of from(first).
    [[nodiscard]] std::size_t lines_within(std::size_t first, std::size_t bytes) const {
        std::size_t count = 0;
        while (first + count < ends_.size() && ends_[first + count] - begin_of(first) <= bytes)
            ++count;
        return count;
    }

  private:
    [[nodiscard]] std::size_t begin_of(std::size_t index) const { return index == 0 ? 0 : ends_[index - 1]; }

    fmt::memory_buffer text_;
    std::vector<std::size_t> ends_;
    std::vector<std::shared_ptr<const UnwrittenMark>> marks_;
};

}  // namespace headgate::flowlog
