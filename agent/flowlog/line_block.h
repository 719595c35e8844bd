// Records that go to a sink together: whole lines.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace headgate::flowlog {

/// Comes with records, and lasts until every sink has written or dropped them.
class RecordTicket {
  public:
    virtual ~RecordTicket() = default;

    /// Some of them are dropped since this process comes to its end. Any thread.
    virtual void given_up() const = 0;
};

class LineBlock {
  public:
    /// Bytes from which on a block is better sent: what is larger comes from the kernel page by page (mallopt(3),
    /// M_MMAP_THRESHOLD: 128 KiB), and that takes longer than to write the lines.
    static constexpr std::size_t kFull = std::size_t{96} * 1024;

    /// What is appended here becomes a line by end_line().
    [[nodiscard]] fmt::memory_buffer& text() noexcept { return text_; }

    void end_line() {
        text_.push_back('\n');
        ends_.push_back(text_.size());
    }

    /// Takes off what no end_line() has followed, after an exception.
    void drop_unended() { text_.resize(begin_of(ends_.size())); }

    /// Kept for as long as this block is.
    void keep(const std::shared_ptr<const RecordTicket>& ticket) {
        if (ticket && (tickets_.empty() || tickets_.back() != ticket)) tickets_.push_back(ticket);
    }
    void give_up() const {
        for (const auto& each : tickets_)
            each->given_up();
    }

    [[nodiscard]] std::size_t count() const noexcept { return ends_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return text_.size(); }

    /// Without its line end.
    [[nodiscard]] std::string_view line(std::size_t index) const {
        const auto lines = from(index);
        return lines.substr(0, ends_[index] - begin_of(index) - 1);
    }

    /// The lines from this one on, each with its line end.
    [[nodiscard]] std::string_view from(std::size_t first) const {
        return std::string_view{text_.data(), text_.size()}.substr(begin_of(first));
    }

    /// How many whole lines the first `bytes` bytes of from(first) are.
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
    std::vector<std::shared_ptr<const RecordTicket>> tickets_;
};

}  // namespace headgate::flowlog
