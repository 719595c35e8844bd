// SPDX-License-Identifier: GPL-2.0-or-later
// Text tables with aligned columns.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headgate::cli {

struct Column {
    std::string_view title;
    enum class Align : std::uint8_t { Left, Right } align = Align::Left;
    /// If the terminal is too narrow, columns with the highest number are left out first; 0: never left out.
    unsigned dispensable = 0;
    enum class WhenEmpty : std::uint8_t { LeaveOut, Show } when_empty = WhenEmpty::LeaveOut;
    std::size_t at_least = 0;  ///< minimum width in characters
};

/// Appends a line `name   value`, with the value in column `width`.
void append_named(fmt::memory_buffer& out, std::string_view name, std::size_t width, std::string_view value);

using Cells = std::vector<std::string>;

/// Column widths are derived from the first page of rows, which is held back until it is full; wider values in later
/// rows stick out. Columns that do not fit `width` are left out, the most dispensable first. Columns that are empty on
/// the first page are left out until a row has a value for them; then the header is written again.
class TextTable {
  public:
    enum class Colour : std::uint8_t { No, Yes };

    TextTable(std::vector<Column> columns, std::optional<std::size_t> width, Colour colour);

    /// Uses the terminal's width and colours if stdout is one.
    [[nodiscard]] static TextTable for_stdout(std::vector<Column> columns);

    /// Writes the header now; then each row is written at once, in columns of their minimum width.
    void begin(fmt::memory_buffer& out);

    void add(Cells cells, fmt::memory_buffer& out);

    /// Writes the rows that are still held back.
    void finish(fmt::memory_buffer& out);

  private:
    void lay_out();
    void write_header(fmt::memory_buffer& out) const;
    void write(const Cells& cells, fmt::memory_buffer& out) const;
    [[nodiscard]] bool reveal_columns_of(const Cells& cells);
    [[nodiscard]] std::size_t total_width() const;

    std::vector<Column> columns_;
    std::vector<std::size_t> widths_;
    std::vector<bool> shown_;
    std::vector<bool> waiting_;  ///< left out because empty so far
    std::vector<Cells> page_;
    std::optional<std::size_t> width_;
    Colour colour_;
    bool laid_out_ = false;
};

}  // namespace headgate::cli
