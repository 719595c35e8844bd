// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/stream_buffer.h"

#include <algorithm>

namespace headgate::flowlog {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

}  // namespace

void StreamBuffer::begin(const LineBlock& block, std::size_t first, const Framing& frame) {
    const auto before = frame.before ? frame.before() : std::string{};
    const bool has_half = !text_.empty();
    const bool is_first = has_half && block.line(first) == half_;
    foreign_ = has_half && !is_first ? 1 : 0;
    for (auto next = first + (is_first ? 1 : 0); next < block.count() && text_.size() < kPiece; ++next) {
        frame.append(text_, before, block.line(next));
        ends_.push_back(text_.size());
    }
}

std::size_t StreamBuffer::finish(const LineBlock& block, std::size_t first) {
    const auto whole = static_cast<std::size_t>(std::ranges::upper_bound(ends_, sent_) - ends_.begin());
    const auto counted = whole - std::min(whole, foreign_);
    const auto begin = whole == 0 ? 0 : ends_[whole - 1];
    if (sent_ == begin) {
        restart();
        return counted;
    }
    if (whole >= foreign_) half_ = block.line(first + counted);
    text_ = text_.substr(begin, ends_[whole] - begin);
    ends_ = {text_.size()};
    sent_ -= begin;
    return counted;
}

void StreamBuffer::restart() noexcept {
    text_.clear();
    ends_.clear();
    sent_ = 0;
}

}  // namespace headgate::flowlog
