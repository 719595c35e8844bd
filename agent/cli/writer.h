// SPDX-License-Identifier: GPL-2.0-or-later
// Writes a command's output to stdout. A command produces it once, either as rows with a heading and an ending or as
// one document; only writer.cpp knows the output formats.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <memory>
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
    virtual void append_json(fmt::memory_buffer& out) const = 0;  ///< one object, without a line end
    [[nodiscard]] virtual Cells cells() const = 0;                ///< for a table, one per column
};

/// The output before the first row.
struct Heading {
    std::string_view list;        ///< the key of the rows in JSON
    std::vector<Column> columns;  ///< for a table
    Append text{};                ///< above a table
    Append json{};                ///< members before the list, with a trailing comma
    bool live = false;            ///< rows arrive over time: a table shows its header at once, and holds no rows back
};

/// The output after the last row.
struct Ending {
    Append text{};    ///< below a table
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
};

/// A value of `--output`.
struct OutputFormat {
    std::string_view name;
    std::string_view remark;  ///< for the help
    std::unique_ptr<Format> (*make)();
};

/// First the default on a terminal, then the default elsewhere, then the others.
[[nodiscard]] std::span<const OutputFormat> output_formats();

/// `table (on a terminal), json (elsewhere) or ndjson`
[[nodiscard]] std::string output_formats_text();

[[nodiscard]] Result<OutputFormat> parse_output_format(std::string_view text);

/// A row defined by two functions.
template <typename AppendJson, typename MakeCells>
class FunctionRow final : public Row {
  public:
    FunctionRow(const AppendJson& append_json, const MakeCells& cells) : append_json_(append_json), cells_(cells) {}
    void append_json(fmt::memory_buffer& out) const override { append_json_(out); }
    [[nodiscard]] Cells cells() const override { return cells_(); }

  private:
    const AppendJson& append_json_;
    const MakeCells& cells_;
};

/// Writes to stdout in one format. For end() and document(), a reader that closed the pipe early is no error.
class Writer {
  public:
    explicit Writer(const OutputFormat& format) : format_(format.make()) {}

    void begin(const Heading& heading) { format_->begin(out_.buffer(), heading); }

    /// Rows are written as they come, except a table's first page. After an error nothing more is written.
    /// `append_json(buffer)` appends the row as an object without a line end; `cells()` returns its table cells.
    template <typename AppendJson, typename MakeCells>
    Result<void> row(const AppendJson& append_json, const MakeCells& cells) {
        return write(FunctionRow{append_json, cells});
    }
    Result<void> end(const Ending& ending = {});

    /// Writes one document instead of rows.
    Result<void> document(const Append& json, const Append& text);

    /// Sends the buffered output.
    Result<void> flush();

  private:
    Result<void> write(const Row& row);

    OutputStream out_{STDOUT_FILENO};
    std::unique_ptr<Format> format_;
    Result<void> written_;
};

}  // namespace headgate::cli
