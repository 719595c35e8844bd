// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/writer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

namespace headgate::cli {
namespace {

void append_part(fmt::memory_buffer& out, const Append& part) {
    if (part) part(out);
}

class TableFormat final : public Format {
  public:
    void begin(fmt::memory_buffer& out, const Heading& heading) override {
        append_part(out, heading.text);
        table_.emplace(TextTable::for_stdout(heading.columns));
        if (heading.live) table_->begin(out);
    }
    void row(fmt::memory_buffer& out, const Row& row) override { table_->add(row.cells(), out); }
    void end(fmt::memory_buffer& out, const Ending& ending) override {
        table_->finish(out);
        append_part(out, ending.text);
    }
    void document(fmt::memory_buffer& out, const Append& /*json*/, const Append& text) override { text(out); }

  private:
    std::optional<TextTable> table_;  ///< set by begin()
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
        row.append_json(out);
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
        row.append_json(out);
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

template <typename Form>
std::unique_ptr<Format> make_format() {
    return std::make_unique<Form>();
}

constexpr std::array kOutputFormats = {
    OutputFormat{"table", " (on a terminal)", make_format<TableFormat>},
    OutputFormat{"json", " (elsewhere)", make_format<JsonFormat>},
    OutputFormat{"ndjson", "", make_format<NdjsonFormat>},
};

/// `table, json and ndjson`
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
    return invalid("\"{}\" is none of {}", text,
                   formats_joined("and", [](const OutputFormat& each) { return each.name; }));
}

Result<void> Writer::write(const Row& row) {
    if (!written_) return written_;
    format_->row(out_.buffer(), row);
    return written_ = out_.written();
}

Result<void> Writer::end(const Ending& ending) {
    if (!written_) return unless_unread(written_);
    format_->end(out_.buffer(), ending);
    return unless_unread(flush());
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
