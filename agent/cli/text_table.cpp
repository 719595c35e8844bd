// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/text_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/printable.h"
#include "base/text.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kPage = 256;
constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastOfCut = 12;  ///< characters of a column that is cut; below that it is of no use
constexpr std::string_view kCut = "...";

}  // namespace

std::string Column::name() const {
    std::string name{title};
    std::ranges::transform(name, name.begin(), [](char c) { return c == ' ' ? '_' : to_lower(c); });
    return name;
}

void append_named(fmt::memory_buffer& out, std::string_view name, std::size_t width, std::string_view value) {
    fmt::format_to(std::back_inserter(out), "{:<{}}{}\n", name, width, as_printable(value));
}

TextTable::TextTable(std::vector<Column> columns, TableLayout layout) : columns_(std::move(columns)), layout_(layout) {}

void TextTable::begin(fmt::memory_buffer& out) {
    is_live_ = true;
    lay_out();
    write_header(out);
}

void TextTable::add(const Cells& cells, fmt::memory_buffer& out) {
    Texts texts;
    texts.reserve(cells.size());
    for (const auto& cell : cells)
        texts.push_back(as_printable(table_text(cell, layout_.style)));
    if (laid_out_) {
        if (reveal_columns_of(texts)) write_header(out);
        return write(texts, out);
    }
    page_.push_back(std::move(texts));
    if (page_.size() == kPage) finish(out);
}

void TextTable::finish(fmt::memory_buffer& out) {
    if (laid_out_ || page_.empty()) return;
    lay_out();
    write_header(out);
    for (const auto& texts : page_)
        write(texts, out);
    page_.clear();
    page_.shrink_to_fit();
}

void TextTable::lay_out() {
    laid_out_ = true;
    const bool shows_empty = is_live_ || layout_.empty == TableLayout::Empty::Show;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t longest = 0;
        for (const auto& texts : page_)
            longest = std::max(longest, texts[i].size());
        shown_.push_back(longest > 0 || shows_empty);
        waiting_.push_back(!shown_[i]);
        widths_.push_back(std::max({longest, columns_[i].title.size(), is_live_ ? columns_[i].at_least : 0}));
    }
    if (layout_.width) fit();
}

/// Shortens the columns that may be cut, shows the others as far as there is room, the least dispensable first, and
/// gives the room that remains back to those that were shortened.
void TextTable::fit() {
    const auto natural = widths_;
    std::vector<std::size_t> dispensable;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].fit == Column::Fit::Cut) widths_[i] = std::min(widths_[i], kLeastOfCut);
        if (shown_[i] && columns_[i].dispensable != 0) dispensable.push_back(i);
    }
    std::ranges::stable_sort(dispensable, {}, [&](std::size_t i) { return columns_[i].dispensable; });
    for (const auto i : dispensable)
        shown_[i] = false;
    for (const auto i : dispensable) {
        shown_[i] = true;
        shown_[i] = total_width() <= *layout_.width;
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (!shown_[i] && !waiting_[i]) left_out_.push_back(columns_[i].name());
        const auto room = *layout_.width - std::min(*layout_.width, total_width());
        if (shown_[i]) widths_[i] += std::min(room, natural[i] - widths_[i]);
    }
}

bool TextTable::reveal_columns_of(const Texts& texts) {
    bool revealed = false;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (!waiting_[i] || texts[i].empty()) continue;
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
    if (layout_.header == TableLayout::Header::No) return;
    Texts titles;
    for (const auto& column : columns_)
        titles.emplace_back(column.title);
    const bool bold = layout_.colour == TableLayout::Colour::Yes;
    if (bold) fmt::format_to(std::back_inserter(out), "\x1b[1m");
    write(titles, out);
    if (bold) fmt::format_to(std::back_inserter(out), "\x1b[0m");
}

void TextTable::write(const Texts& texts, fmt::memory_buffer& out) const {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (!shown_[i]) continue;
        if (!line.empty()) line.append(kGap, ' ');
        std::string_view text = texts[i];
        const auto room = std::max(widths_[i], kLeastOfCut);  // the rows of the first page may have been shorter
        const bool is_cut = layout_.width && columns_[i].fit == Column::Fit::Cut && text.size() > room;
        if (is_cut) text = front_of(text, room - kCut.size());
        const std::size_t padding = widths_[i] - std::min(widths_[i], text.size() + (is_cut ? kCut.size() : 0));
        if (columns_[i].align == Column::Align::Right) line.append(padding, ' ');
        line.append(text).append(is_cut ? kCut : "");
        if (columns_[i].align == Column::Align::Left) line.append(padding, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    line.push_back('\n');
    out.append(line.data(), line.data() + line.size());
}

}  // namespace headgate::cli
