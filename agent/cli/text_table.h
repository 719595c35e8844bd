// SPDX-License-Identifier: GPL-2.0-or-later
// Aligned columns for people.
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
    /// What is left out first when the terminal is too narrow; 0 is never left out.
    unsigned dispensable = 0;
    enum class WhenEmpty : std::uint8_t { LeaveOut, Show } when_empty = WhenEmpty::LeaveOut;
    std::size_t at_least = 0;  ///< characters wide
};

/// A line `name   value`, the value in column `width`.
void append_named(fmt::memory_buffer& out, std::string_view name, std::size_t width, std::string_view value);

using Cells = std::vector<std::string>;

/// Column widths come from the first page of rows, which is held until it is full; later rows that need more room stick
/// out. Columns that do not fit `width` are left out, the most dispensable first. Those that the first page leaves
/// empty are left out until a row has something to say there; then the header is written anew.
class TextTable {
  public:
    enum class Colour : std::uint8_t { No, Yes };

    TextTable(std::vector<Column> columns, std::optional<std::size_t> width, Colour colour);

    /// As wide as the terminal, if stdout is one, and with its colours.
    [[nodiscard]] static TextTable for_stdout(std::vector<Column> columns);

    /// Writes the header now, and holds no row: each is written at once, in columns as wide as they are at least.
    void begin(fmt::memory_buffer& out);

    void add(Cells cells, fmt::memory_buffer& out);

    /// Writes what is still held.
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
    std::vector<bool> waiting_;  ///< empty so far
    std::vector<Cells> page_;
    std::optional<std::size_t> width_;
    Colour colour_;
    bool laid_out_ = false;
};

}  // namespace headgate::cli
