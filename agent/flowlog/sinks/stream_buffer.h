// Records on their way into a stream of bytes, which may take half of one.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "flowlog/line_block.h"

namespace headgate::flowlog {

/// How a record stands in the stream.
struct Framing {
    std::function<std::string()> before;  ///< asked for once for records that go together; null: nothing
    std::function<void(std::string& out, std::string_view before, std::string_view line)> append;
};

/// Begin, send, finish; and again with what comes next. Of a record that went in part the rest is kept, and goes before
/// anything else.
class StreamBuffer {
  public:
    /// Takes lines of the block from `first` on, as many as are sent well together. If a half record is another one
    /// than the first (which nobody will ask for again), it is finished, but not counted.
    void begin(const LineBlock& block, std::size_t first, const Framing& frame);

    [[nodiscard]] std::string_view unsent() const { return std::string_view{text_}.substr(sent_); }
    void sent(std::size_t bytes) noexcept { sent_ += bytes; }

    /// How many of the block's lines went. Those that did not are forgotten.
    [[nodiscard]] std::size_t finish(const LineBlock& block, std::size_t first);

    /// There is a new stream, in which no record is half.
    void restart() noexcept;

  private:
    std::string text_;
    std::vector<std::size_t> ends_;  ///< of records in the text
    std::size_t sent_ = 0;
    std::size_t foreign_ = 0;  ///< records at the beginning that are not of the block: none, or one
    std::string half_;         ///< the line of a record that went in part
};

}  // namespace headgate::flowlog
