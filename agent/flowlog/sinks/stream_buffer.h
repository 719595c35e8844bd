// SPDX-License-Identifier: GPL-2.0-or-later
// Buffers records for a byte stream, which may accept part of a record.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "flowlog/line_block.h"

namespace headgate::flowlog {

/// How a record is framed in the stream.
struct Framing {
    std::function<std::string()> before;  ///< called once per begin(); null: nothing
    std::function<void(std::string& out, std::string_view before, std::string_view line)> append;
};

/// Call begin(), sent() and finish(), then begin() again. The rest of a partly sent record is kept and sent before
/// anything else.
class StreamBuffer {
  public:
    /// Buffers lines of the block from `first` on, as many as should be sent together. If the partly sent record is not
    /// the first of them (it was dropped from the queue), it is completed but not counted.
    void begin(const LineBlock& block, std::size_t first, const Framing& frame);

    [[nodiscard]] std::string_view unsent() const { return std::string_view{text_}.substr(sent_); }
    void sent(std::size_t bytes) noexcept { sent_ += bytes; }

    /// Returns how many of the block's lines were sent completely. The others are discarded.
    [[nodiscard]] std::size_t finish(const LineBlock& block, std::size_t first);

    /// Begins a new stream, without a partial record.
    void restart() noexcept;

  private:
    std::string text_;
    std::vector<std::size_t> ends_;  ///< offsets in `text_` at which records end
    std::size_t sent_ = 0;
    std::size_t foreign_ = 0;  ///< records at the beginning that are not of this block: 0 or 1
    std::string half_;         ///< the line of a partly sent record
};

}  // namespace headgate::flowlog
