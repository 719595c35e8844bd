// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/text_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/utf8.h"
#include "cli/terminal.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kPage = 256;
constexpr std::size_t kGap = 2;

bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

void append_named(fmt::memory_buffer& out, std::string_view name, std::size_t width, std::string_view value) {
    fmt::format_to(std::back_inserter(out), "{:<{}}{}\n", name, width, as_printable(value));
}

TextTable::TextTable(std::vector<Column> columns, std::optional<std::size_t> width, Colour colour)
    : columns_(std::move(columns)), width_(width), colour_(colour) {}

TextTable TextTable::for_stdout(std::vector<Column> columns) {
    return {std::move(columns), stdout_width(), stdout_has_colour() ? Colour::Yes : Colour::No};
}

void TextTable::begin(fmt::memory_buffer& out) {
    lay_out();
    laid_out_ = true;
    write_header(out);
}

void TextTable::add(Cells cells, fmt::memory_buffer& out) {
    for (auto& cell : cells)
        if (!is_plain(cell)) cell = as_printable(cell);
    if (laid_out_) {
        if (reveal_columns_of(cells)) write_header(out);
        return write(cells, out);
    }
    page_.push_back(std::move(cells));
    if (page_.size() == kPage) finish(out);
}

void TextTable::finish(fmt::memory_buffer& out) {
    if (laid_out_ || page_.empty()) return;
    lay_out();
    laid_out_ = true;
    write_header(out);
    for (const auto& cells : page_)
        write(cells, out);
    page_.clear();
    page_.shrink_to_fit();
}

void TextTable::lay_out() {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t longest = 0;
        for (const auto& cells : page_)
            longest = std::max(longest, cells[i].size());
        shown_.push_back(longest > 0 || columns_[i].when_empty == Column::WhenEmpty::Show);
        waiting_.push_back(!shown_[i]);
        widths_.push_back(std::max({longest, columns_[i].title.size(), columns_[i].at_least}));
    }
    while (width_ && total_width() > *width_) {
        std::size_t victim = columns_.size();
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (!shown_[i] || columns_[i].dispensable == 0) continue;
            if (victim == columns_.size() || columns_[i].dispensable > columns_[victim].dispensable) victim = i;
        }
        if (victim == columns_.size()) return;
        shown_[victim] = false;
    }
}

bool TextTable::reveal_columns_of(const Cells& cells) {
    bool revealed = false;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (!waiting_[i] || cells[i].empty()) continue;
        waiting_[i] = false;
        shown_[i] = revealed = true;
    }
    return revealed;
}

std::size_t TextTable::total_width() const {
    std::size_t total = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (shown_[i]) total += widths_[i] + (total == 0 ? 0 : kGap);
    }
    return total;
}

void TextTable::write_header(fmt::memory_buffer& out) const {
    Cells titles;
    for (const auto& column : columns_)
        titles.emplace_back(column.title);
    const bool bold = colour_ == Colour::Yes;
    if (bold) fmt::format_to(std::back_inserter(out), "\x1b[1m");
    write(titles, out);
    if (bold) fmt::format_to(std::back_inserter(out), "\x1b[0m");
}

void TextTable::write(const Cells& cells, fmt::memory_buffer& out) const {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (!shown_[i]) continue;
        if (!line.empty()) line.append(kGap, ' ');
        const std::size_t padding = widths_[i] - std::min(widths_[i], cells[i].size());
        if (columns_[i].align == Column::Align::Right) line.append(padding, ' ');
        line.append(cells[i]);
        if (columns_[i].align == Column::Align::Left) line.append(padding, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    line.push_back('\n');
    out.append(line.data(), line.data() + line.size());
}

}  // namespace headgate::cli
