// SPDX-License-Identifier: GPL-2.0-or-later
// Writes lists and documents to stdout in one of several formats. A command describes its rows once; the formats, the
// choice of columns, the order and the count are the same for all lists.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "cli/output_stream.h"
#include "cli/text_table.h"

namespace headgate::cli {

using Append = std::function<void(fmt::memory_buffer& out)>;

/// One item of a list: a flow, a record, an operation.
class Row {
  public:
    virtual ~Row() = default;
    /// An object without a line end; or a line of CSV, where Writer::writes_csv_lines().
    virtual void append_record(fmt::memory_buffer& out) const = 0;
    [[nodiscard]] virtual Cells cells() const = 0;  ///< one per column
};

/// The output before the first row.
struct Heading {
    std::string_view list;  ///< the key of the rows in JSON
    Append text{};          ///< above a table; on stderr where rows stand alone
    Append json{};          ///< members before the list, with a trailing comma
    bool live = false;      ///< rows arrive over time: a table shows its header at once, and holds no rows back
    Append csv_header{};    ///< of rows that make lines of CSV themselves, unless the user chooses columns
    bool is_vital = false;  ///< rows that are too many to be sorted are written as they came, and are no error
};

/// The output after the last row.
struct Ending {
    Append text{};    ///< below a table; on stderr where rows stand alone
    Append json{};    ///< members after the list, with a leading comma
    Append ndjson{};  ///< an object on its own line, without the line end
};

/// Formats output into a buffer, which the Writer sends.
class Format {
  public:
    virtual ~Format() = default;
    virtual void begin(fmt::memory_buffer& out, const Heading& heading) = 0;
    virtual void row(fmt::memory_buffer& out, const Row& row) = 0;
    virtual void end(fmt::memory_buffer& out, const Ending& ending) = 0;
    virtual void document(fmt::memory_buffer& out, const Append& json, const Append& text) = 0;

    /// What it left out, for the user; empty: nothing.
    [[nodiscard]] virtual std::string remark() const { return {}; }
};

/// A value of `--output`.
struct OutputFormat {
    std::string_view name;
    std::string_view remark;  ///< for the help
    enum class Columns : std::uint8_t {
        None,   ///< rows are objects with keys
        Usual,  ///< those that are shown usually
        All,
    } columns;
    enum class Documents : std::uint8_t { No, Yes } documents;  ///< whether it has a form for them
    std::unique_ptr<Format> (*make)(std::vector<Column> columns, const TableLayout& layout);

    [[nodiscard]] bool has_columns() const { return columns != Columns::None; }
};

/// First the default on a terminal, then the default elsewhere, then the others.
[[nodiscard]] std::span<const OutputFormat> output_formats();

/// `table (on a terminal), json (elsewhere), ... or csv`
[[nodiscard]] std::string output_formats_text();

[[nodiscard]] Result<OutputFormat> parse_output_format(std::string_view text);

/// The order of rows.
struct RowOrder {
    std::size_t column = 0;
    Direction direction = Direction::Ascending;
};

/// What the user wants to see of a list, and how. Columns are numbers of those that the list has.
struct OutputChoice {
    OutputFormat format;
    std::vector<Column> columns{};                    ///< that the list has; none: for documents only
    std::vector<std::size_t> chosen{};                ///< these alone, in this order; empty: those of the format
    std::optional<RowOrder> order{};                  ///< absent: as they come
    std::size_t most_held = std::size_t{256} << 20U;  ///< bytes of rows that wait to be sorted
    enum class Show : std::uint8_t { Rows, Count } show = Show::Rows;
    TableLayout layout{};
};

/// A row defined by two functions.
template <typename AppendRecord, typename MakeCells>
class FunctionRow final : public Row {
  public:
    FunctionRow(const AppendRecord& append_record, const MakeCells& cells)
        : append_record_(append_record), cells_(cells) {}
    void append_record(fmt::memory_buffer& out) const override { append_record_(out); }
    [[nodiscard]] Cells cells() const override { return cells_(); }

  private:
    const AppendRecord& append_record_;
    const MakeCells& cells_;
};

/// Writes to stdout, and to stderr what was left out. For end() and document(), a reader that closed the pipe early is
/// no error.
class Writer {
  public:
    explicit Writer(OutputChoice choice);

    void begin(const Heading& heading);

    /// Rows are written as they come, except a table's first page; all of them wait for the last one if they are
    /// sorted, up to a limit. After an error nothing more is written. `append_record(buffer)` appends the row as an
    /// object without a line end; `cells()` returns a cell for each column that the list has.
    template <typename AppendRecord, typename MakeCells>
    Result<void> row(const AppendRecord& append_record, const MakeCells& cells) {
        return write(FunctionRow{append_record, cells});
    }
    Result<void> end(const Ending& ending = {});

    /// Writes one document instead of rows.
    Result<void> document(const Append& json, const Append& text);

    /// Sends the buffered output.
    Result<void> flush();

    /// Whether rows are lines of CSV with their line end, below Heading::csv_header. Known after begin().
    [[nodiscard]] bool writes_csv_lines() const { return csv_lines_ == CsvLines::Written; }

    /// Whether stdout has what stands around the rows in JSON.
    [[nodiscard]] bool has_keys() const {
        return !choice_.format.has_columns() && choice_.show == OutputChoice::Show::Rows;
    }

    /// For a table within a document.
    [[nodiscard]] const TableLayout& layout() const { return choice_.layout; }

  private:
    /// A row that waits for the others.
    struct HeldRow {
        Cell key;
        std::string record;
        Cells cells;
    };

    Result<void> write(const Row& row);
    Result<void> hold(const Row& row);
    void sort_held();
    Result<void> write_held();
    static void tell_text(const Append& text);
    [[nodiscard]] Cells chosen_of(Cells cells) const;
    void tell_remark();

    OutputStream out_{STDOUT_FILENO};
    OutputChoice choice_;
    std::unique_ptr<Format> format_;
    bool rows_alone_;  ///< on stdout, without the texts of Heading and Ending
    enum class CsvLines : std::uint8_t { No, Possible, Written } csv_lines_ = CsvLines::No;
    bool is_vital_ = false;
    std::vector<HeldRow> held_;
    std::size_t held_bytes_ = 0;
    bool remark_told_ = false;
    Result<void> written_;
};

}  // namespace headgate::cli
