// SPDX-License-Identifier: GPL-2.0-or-later
// Writes what a command answers to stdout. A command says it once, as rows and what stands around them, or as one
// document; what a format makes of that is said in writer.cpp alone.
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

/// A flow, a record, an operation: whatever there are many of.
class Row {
  public:
    virtual ~Row() = default;
    virtual void append_json(fmt::memory_buffer& out) const = 0;  ///< one object, without a line end
    [[nodiscard]] virtual Cells cells() const = 0;                ///< of a table, one for each column
};

/// What is known before the first row.
struct Heading {
    std::string_view list;        ///< the key of the rows in JSON
    std::vector<Column> columns;  ///< of a table
    Append text{};                ///< above a table
    Append json{};                ///< members in front of the list, with a comma behind them
    bool live = false;            ///< rows come as they happen: a table shows its head at once, and holds none of them
};

/// What is known after the last row.
struct Ending {
    Append text{};    ///< below a table
    Append json{};    ///< members behind the list, with a comma in front of them
    Append ndjson{};  ///< an object on a line of its own
};

/// How output is formatted. Nothing is sent: that is the writer's part.
class Format {
  public:
    virtual ~Format() = default;
    virtual void begin(fmt::memory_buffer& out, const Heading& heading) = 0;
    virtual void row(fmt::memory_buffer& out, const Row& row) = 0;
    virtual void end(fmt::memory_buffer& out, const Ending& ending) = 0;
    virtual void document(fmt::memory_buffer& out, const Append& json, const Append& text) = 0;
};

/// A format as `--output` names it.
struct OutputFormat {
    std::string_view name;
    std::string_view remark;  ///< for the help
    std::unique_ptr<Format> (*make)();
};

/// For a terminal, for other uses, and the rest.
[[nodiscard]] std::span<const OutputFormat> output_formats();

/// `table (on a terminal), json (elsewhere) or ndjson`
[[nodiscard]] std::string output_formats_text();

[[nodiscard]] Result<OutputFormat> parse_output_format(std::string_view text);

/// A row that is made of two functions.
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

/// Output to stdout in one format. To end() and document(), a reader that closed the pipe early is no error.
class Writer {
  public:
    explicit Writer(const OutputFormat& format) : format_(format.make()) {}

    void begin(const Heading& heading) { format_->begin(out_.buffer(), heading); }

    /// Rows are sent as they come, except a table's first page. After an error nothing more is written.
    /// `append_json(buffer)` writes one as an object, without a line end; `cells()` are those of a table.
    template <typename AppendJson, typename MakeCells>
    Result<void> row(const AppendJson& append_json, const MakeCells& cells) {
        return write(FunctionRow{append_json, cells});
    }
    Result<void> end(const Ending& ending = {});

    /// In place of rows.
    Result<void> document(const Append& json, const Append& text);

    /// Sends what has gathered.
    Result<void> flush();

  private:
    Result<void> write(const Row& row);

    OutputStream out_{STDOUT_FILENO};
    std::unique_ptr<Format> format_;
    Result<void> written_;
};

}  // namespace headgate::cli
