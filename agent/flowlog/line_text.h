// SPDX-License-Identifier: GPL-2.0-or-later
// Writes a line made of many small pieces into an fmt::memory_buffer, with copies inlined instead of a call for each.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace headgate::flowlog {

/// While it exists, no other code may access the buffer.
class LineText {
  public:
    explicit LineText(fmt::memory_buffer& buffer) : buffer_(buffer) { find_room(); }
    ~LineText() { buffer_.resize(size()); }
    LineText(const LineText&) = delete;
    LineText& operator=(const LineText&) = delete;

    void append(std::string_view text) {
        std::memcpy(room(text.size()), text.data(), text.size());
        next_ += text.size();
    }
    void push_back(char c) {
        *room(1) = c;
        ++next_;
    }
    template <std::integral Number>
    void append(Number number) {
        char* const begin = room(kLongestNumber);
        next_ = std::to_chars(begin, begin + kLongestNumber, number).ptr;
    }
    /// `name` is the complete text before the number: `,"age":`.
    template <std::integral Number>
    void append(std::string_view name, Number number) {
        append(name);
        append(number);
    }

    /// Space for `size` characters; advance() commits those that were written.
    [[nodiscard]] char* room(std::size_t size) {
        if (static_cast<std::size_t>(end_ - next_) < size) [[unlikely]]
            grow(size);
        return next_;
    }
    void advance(std::size_t size) { next_ += size; }

  private:
    static constexpr std::size_t kLongestNumber = 20;

    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(next_ - buffer_.data()); }
    void find_room() {
        next_ = buffer_.data() + buffer_.size();
        end_ = buffer_.data() + buffer_.capacity();
    }
    void grow(std::size_t more) {
        buffer_.resize(size());
        buffer_.reserve(std::max(size() + more, 2 * buffer_.capacity()));
        find_room();
    }

    fmt::memory_buffer& buffer_;
    char* next_ = nullptr;
    char* end_ = nullptr;
};

}  // namespace headgate::flowlog
