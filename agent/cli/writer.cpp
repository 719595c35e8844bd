// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/writer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "base/printable.h"
#include "base/text.h"
#include "cli/flow_text.h"
#include "cli/terminal.h"
#include "flow/flow_csv.h"

namespace headgate::cli {
namespace {

void append_part(fmt::memory_buffer& out, const Append& part) {
    if (part) part(out);
}

/// What a cell takes in addition to itself.
std::size_t bytes_beside(const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return text->size();
    const auto* id = std::get_if<ShortId>(&cell);
    return id != nullptr ? id->id.size() : 0;
}

std::vector<Column> picked(const std::vector<Column>& columns, const std::vector<std::size_t>& chosen) {
    std::vector<Column> some;
    some.reserve(chosen.size());
    for (const auto index : chosen)
        some.push_back(columns.at(index));
    return some;
}

std::vector<std::size_t> columns_of(const OutputFormat& format, const std::vector<Column>& columns) {
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const bool is_usual = columns[i].shown == Column::Shown::Usually;
        if (is_usual || format.columns == OutputFormat::Columns::All) shown.push_back(i);
    }
    return shown;
}

class TableFormat final : public Format {
  public:
    TableFormat(std::vector<Column> columns, const TableLayout& layout) : table_(std::move(columns), layout) {}

    void begin(fmt::memory_buffer& out, const Heading& heading) override {
        append_part(out, heading.text);
        if (heading.live) table_.begin(out);
    }
    void row(fmt::memory_buffer& out, const Row& row) override { table_.add(row.cells(), out); }
    void end(fmt::memory_buffer& out, const Ending& ending) override {
        table_.finish(out);
        append_part(out, ending.text);
    }
    void document(fmt::memory_buffer& out, const Append& /*json*/, const Append& text) override { text(out); }

    [[nodiscard]] std::string remark() const override {
        if (table_.left_out().empty()) return {};
        return fmt::format("columns left out: {}; use -o wide", fmt::join(table_.left_out(), ", "));
    }

  private:
    TextTable table_;
};

/// RFC 4180: a header, then a line for each row.
class CsvFormat final : public Format {
  public:
    CsvFormat(std::vector<Column> columns, const TableLayout& layout)
        : columns_(std::move(columns)), header_(layout.header) {}

    void begin(fmt::memory_buffer& out, const Heading& /*heading*/) override {
        if (header_ == TableLayout::Header::Yes)
            append_line(out, columns_, [](const Column& each) { return each.name(); });
    }
    void row(fmt::memory_buffer& out, const Row& row) override { append_line(out, row.cells(), csv_text); }
    void end(fmt::memory_buffer& /*out*/, const Ending& /*ending*/) override {}
    void document(fmt::memory_buffer& /*out*/, const Append& /*json*/, const Append& /*text*/) override {}

  private:
    template <typename Values, typename Text>
    static void append_line(fmt::memory_buffer& out, const Values& values, const Text& text) {
        bool is_first = true;
        for (const auto& each : values) {
            if (!std::exchange(is_first, false)) out.push_back(',');
            append_csv_text(out, as_printable(text(each)));
        }
        out.append(std::string_view{"\r\n"});
    }

    std::vector<Column> columns_;
    TableLayout::Header header_;
};

/// CSV, whose lines the rows make themselves.
class CsvLinesFormat final : public Format {
  public:
    explicit CsvLinesFormat(TableLayout::Header header) : header_(header) {}

    void begin(fmt::memory_buffer& out, const Heading& heading) override {
        if (header_ == TableLayout::Header::Yes) heading.csv_header(out);
    }
    void row(fmt::memory_buffer& out, const Row& row) override { row.append_record(out); }
    void end(fmt::memory_buffer& /*out*/, const Ending& /*ending*/) override {}
    void document(fmt::memory_buffer& /*out*/, const Append& /*json*/, const Append& /*text*/) override {}

  private:
    TableLayout::Header header_;
};

/// One object with a list of the rows, one per line.
class JsonFormat final : public Format {
  public:
    void begin(fmt::memory_buffer& out, const Heading& heading) override {
        out.push_back('{');
        append_part(out, heading.json);
        fmt::format_to(std::back_inserter(out), "\"{}\":[", heading.list);
    }
    void row(fmt::memory_buffer& out, const Row& row) override {
        out.append(std::string_view{std::exchange(is_empty_, false) ? "\n" : ",\n"});
        row.append_record(out);
    }
    void end(fmt::memory_buffer& out, const Ending& ending) override {
        if (ending.json && !is_empty_) out.push_back('\n');
        out.push_back(']');
        append_part(out, ending.json);
        out.append(std::string_view{"}\n"});
    }
    void document(fmt::memory_buffer& out, const Append& json, const Append& /*text*/) override {
        json(out);
        out.push_back('\n');
    }

  private:
    bool is_empty_ = true;
};

/// One object per line.
class NdjsonFormat final : public Format {
  public:
    void begin(fmt::memory_buffer& /*out*/, const Heading& /*heading*/) override {}
    void row(fmt::memory_buffer& out, const Row& row) override {
        row.append_record(out);
        out.push_back('\n');
    }
    void end(fmt::memory_buffer& out, const Ending& ending) override {
        if (ending.ndjson) document(out, ending.ndjson, {});
    }
    void document(fmt::memory_buffer& out, const Append& json, const Append& /*text*/) override {
        json(out);
        out.push_back('\n');
    }
};

/// The number of rows, in place of them.
class CountFormat final : public Format {
  public:
    explicit CountFormat(bool as_object) : as_object_(as_object) {}

    void begin(fmt::memory_buffer& /*out*/, const Heading& /*heading*/) override {}
    void row(fmt::memory_buffer& /*out*/, const Row& /*row*/) override { ++count_; }
    void end(fmt::memory_buffer& out, const Ending& /*ending*/) override {
        fmt::format_to(std::back_inserter(out), fmt::runtime(as_object_ ? "{{\"count\":{}}}\n" : "{}\n"), count_);
    }
    void document(fmt::memory_buffer& /*out*/, const Append& /*json*/, const Append& /*text*/) override {}

  private:
    bool as_object_;
    std::uint64_t count_ = 0;
};

template <typename Form>
std::unique_ptr<Format> make_format(std::vector<Column> columns, const TableLayout& layout) {
    if constexpr (std::is_default_constructible_v<Form>) {
        return std::make_unique<Form>();
    } else {
        return std::make_unique<Form>(std::move(columns), layout);
    }
}

constexpr auto kNoColumns = OutputFormat::Columns::None;
constexpr auto kUsualColumns = OutputFormat::Columns::Usual;
constexpr auto kAllColumns = OutputFormat::Columns::All;
constexpr auto kDocuments = OutputFormat::Documents::Yes;
constexpr auto kListsOnly = OutputFormat::Documents::No;

constexpr std::array kOutputFormats = {
    OutputFormat{"table", " (on a terminal)", kUsualColumns, kDocuments, make_format<TableFormat>},
    OutputFormat{"json", " (elsewhere)", kNoColumns, kDocuments, make_format<JsonFormat>},
    OutputFormat{"ndjson", "", kNoColumns, kDocuments, make_format<NdjsonFormat>},
    OutputFormat{"wide", " (a table with all columns)", kAllColumns, kDocuments, make_format<TableFormat>},
    OutputFormat{"csv", " (of lists)", kAllColumns, kListsOnly, make_format<CsvFormat>},
};

/// `table, json, ... and csv`
template <typename Text>
std::string formats_joined(std::string_view last, const Text& text) {
    std::string joined;
    for (std::size_t i = 0; i < kOutputFormats.size(); ++i) {
        if (i > 0) joined += i + 1 < kOutputFormats.size() ? ", " : fmt::format(" {} ", last);
        joined += text(kOutputFormats[i]);
    }
    return joined;
}

}  // namespace

std::span<const OutputFormat> output_formats() {
    return kOutputFormats;
}

std::string output_formats_text() {
    return formats_joined("or",
                          [](const OutputFormat& format) { return fmt::format("{}{}", format.name, format.remark); });
}

Result<OutputFormat> parse_output_format(std::string_view text) {
    const auto format = std::ranges::find(kOutputFormats, text, &OutputFormat::name);
    if (format != kOutputFormats.end()) return *format;
    return invalid("\"{}\" is none of {}{}", text,
                   formats_joined("and", [](const OutputFormat& each) { return each.name; }),
                   did_you_mean(text, kOutputFormats, &OutputFormat::name));
}

Writer::Writer(OutputChoice choice) : choice_(std::move(choice)) {
    const bool counts = choice_.show == OutputChoice::Show::Count;
    const bool is_csv = choice_.format.documents == OutputFormat::Documents::No;
    rows_alone_ = counts || is_csv || !choice_.chosen.empty() || choice_.layout.header == TableLayout::Header::No;
    if (counts) choice_.order.reset();
    if (is_csv && !counts && choice_.chosen.empty()) csv_lines_ = CsvLines::Possible;
    if (choice_.chosen.empty()) choice_.chosen = columns_of(choice_.format, choice_.columns);
    format_ = counts ? std::make_unique<CountFormat>(!choice_.format.has_columns())
                     : choice_.format.make(picked(choice_.columns, choice_.chosen), choice_.layout);
}

void Writer::begin(const Heading& heading) {
    is_vital_ = heading.is_vital;
    if (csv_lines_ == CsvLines::Possible && heading.csv_header) {
        csv_lines_ = CsvLines::Written;
        format_ = std::make_unique<CsvLinesFormat>(choice_.layout.header);
    }
    auto shown = heading;
    if (rows_alone_) tell_text(std::exchange(shown.text, {}));
    format_->begin(out_.buffer(), shown);
    if (heading.live) tell_remark();
}

void Writer::tell_text(const Append& text) {
    fmt::memory_buffer lines;
    append_part(lines, text);
    for (std::string_view rest{lines.data(), lines.size()}; !rest.empty();)
        note(take_until(rest, '\n'));
}

Result<void> Writer::write(const Row& row) {
    if (!written_) return written_;
    if (choice_.order) return written_ = hold(row);
    const auto append_record = [&](fmt::memory_buffer& out) { row.append_record(out); };
    const auto cells = [&] { return chosen_of(row.cells()); };
    format_->row(out_.buffer(), FunctionRow{append_record, cells});
    return written_ = out_.written();
}

Result<void> Writer::hold(const Row& row) {
    auto cells = row.cells();
    HeldRow held{cells.at(choice_.order->column), {}, {}};
    if (choice_.format.has_columns() && !writes_csv_lines()) {
        held.cells = chosen_of(std::move(cells));
    } else {
        fmt::memory_buffer record;
        row.append_record(record);
        held.record = fmt::to_string(record);
    }
    held_bytes_ += sizeof held + bytes_beside(held.key) + held.record.size();
    for (const auto& each : held.cells)
        held_bytes_ += sizeof each + bytes_beside(each);
    held_.push_back(std::move(held));
    if (held_bytes_ <= choice_.most_held) return {};
    const auto too_many = fmt::format("--sort: {} rows take {}, and no more are held in memory", held_.size(),
                                      amount_text(choice_.most_held));
    if (!is_vital_) return failed("{}: choose fewer, or sort them with another program", too_many);
    warn(fmt::format("{}: the rows are not sorted", too_many));
    choice_.order.reset();
    return write_held();
}

void Writer::sort_held() {
    std::ranges::stable_sort(
        held_, [&](const HeldRow& a, const HeldRow& b) { return is_before(a.key, b.key, choice_.order->direction); });
}

Result<void> Writer::write_held() {
    for (const auto& each : std::exchange(held_, {})) {
        const auto append_record = [&](fmt::memory_buffer& out) { out.append(each.record); };
        const auto cells = [&] { return each.cells; };
        format_->row(out_.buffer(), FunctionRow{append_record, cells});
        RETURN_IF_ERROR(out_.written());
    }
    return {};
}

Cells Writer::chosen_of(Cells cells) const {
    Cells chosen;
    chosen.reserve(choice_.chosen.size());
    for (const auto index : choice_.chosen)
        chosen.push_back(cells.at(index));
    return chosen;
}

void Writer::tell_remark() {
    const auto remark = format_->remark();
    if (!remark.empty() && !std::exchange(remark_told_, true)) note(remark);
}

Result<void> Writer::end(const Ending& ending) {
    if (written_ && choice_.order) sort_held();
    if (written_) written_ = write_held();
    if (!written_) return unless_unread(written_);
    auto shown = ending;
    if (rows_alone_) shown.text = {};
    format_->end(out_.buffer(), shown);
    auto ended = unless_unread(flush());
    tell_remark();
    if (rows_alone_) tell_text(ending.text);
    return ended;
}

Result<void> Writer::document(const Append& json, const Append& text) {
    format_->document(out_.buffer(), json, text);
    return unless_unread(flush());
}

Result<void> Writer::flush() {
    if (written_) written_ = out_.flush();
    return written_;
}

}  // namespace headgate::cli
