// SPDX-License-Identifier: GPL-2.0-or-later
// Text tables with aligned columns.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cell.h"

namespace headgate::cli {

/// A column of a list, in every output that has columns.
struct Column {
    std::string_view title;
    enum class Align : std::uint8_t { Left, Right } align = Align::Left;
    /// If the terminal is too narrow, columns with the lowest number are shown as far as there is room; 0: always.
    unsigned dispensable = 0;
    /// OnRequest: shown only where all columns are, or where it is asked for by name.
    enum class Shown : std::uint8_t { Usually, OnRequest } shown = Shown::Usually;
    enum class Fit : std::uint8_t { Whole, Cut } fit = Fit::Whole;  ///< Cut: is shortened to the room that is left
    std::size_t at_least = 0;  ///< width in a live table, whose header is written before its rows are known

    /// In the command line and in CSV: `bytes_back` for `BYTES BACK`.
    [[nodiscard]] std::string name() const;
};

/// How a table is laid out.
struct TableLayout {
    std::optional<std::size_t> width{};  ///< in characters; absent: as wide as it gets
    enum class Colour : std::uint8_t { No, Yes } colour = Colour::No;
    enum class Header : std::uint8_t { No, Yes } header = Header::Yes;
    enum class Empty : std::uint8_t { LeaveOut, Show } empty = Empty::LeaveOut;  ///< columns without any value
    CellStyle style{};
};

/// Appends a line `name   value`, with the value in column `width`.
void append_named(fmt::memory_buffer& out, std::string_view name, std::size_t width, std::string_view value);

/// Column widths are derived from the first page of rows, which is held back until it is full; wider values in later
/// rows stick out. Dispensable columns that do not fit the layout's width are left out. Columns that are empty on the
/// first page are left out until a row has a value for them; then the header is written again.
class TextTable {
  public:
    TextTable(std::vector<Column> columns, TableLayout layout);

    /// Writes the header now, with all columns; then each row is written at once, in columns of their minimum width.
    void begin(fmt::memory_buffer& out);

    void add(const Cells& cells, fmt::memory_buffer& out);

    /// Writes the rows that are still held back.
    void finish(fmt::memory_buffer& out);

    /// The names of the columns that did not fit.
    [[nodiscard]] const std::vector<std::string>& left_out() const { return left_out_; }

  private:
    using Texts = std::vector<std::string>;

    void lay_out();
    void fit();
    void write_header(fmt::memory_buffer& out) const;
    void write(const Texts& texts, fmt::memory_buffer& out) const;
    [[nodiscard]] bool reveal_columns_of(const Texts& texts);
    [[nodiscard]] std::size_t total_width() const;

    std::vector<Column> columns_;
    TableLayout layout_;
    std::vector<std::size_t> widths_;
    std::vector<bool> shown_;
    std::vector<bool> waiting_;  ///< left out because empty so far
    std::vector<std::string> left_out_;
    std::vector<Texts> page_;
    bool is_live_ = false;
    bool laid_out_ = false;
};

}  // namespace headgate::cli
