#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <map>
#include <tuple>

#include "headgate/clock.h"

#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/text_table.h"
#include "flow/flow_json.h"

namespace headgate::cli {
namespace {

struct FlowKind {
    Family family;
    Protocol protocol;
    FlowState state;

    friend auto operator<=>(const FlowKind&, const FlowKind&) = default;
};

class Census final : public ScanListener {
  public:
    Result<void> progressed(std::uint64_t scanned) override {
        progress_.show("flows looked at:", scanned);
        return {};
    }
    Result<void> matched(std::span<const FlowRow> rows) override {
        for (const auto& row : rows) {
            const Flow& flow = row.flow;
            ++counts[{flow.original.source.family, flow.original.protocol, state(flow)}];
        }
        return {};
    }

    void finish() { progress_.clear(); }

    std::map<FlowKind, std::uint64_t> counts;

  private:
    Progress progress_;
};

void append_json(fmt::memory_buffer& out, const TableUsage& usage, const Census& census) {
    const auto to = std::back_inserter(out);
    fmt::format_to(to, "{{\"in_use\":{},\"maximum\":{},\"buckets\":{},\"flows\":[", usage.in_use, usage.maximum,
                   usage.buckets);
    std::string_view separator = "\n";
    for (const auto& [kind, count] : census.counts) {
        fmt::format_to(to, "{}{{\"family\":\"{}\",\"protocol\":\"{}\",\"state\":\"{}\",\"count\":{}}}",
                       std::exchange(separator, ",\n"), to_string(kind.family), to_string(kind.protocol),
                       to_string(kind.state), count);
    }
    fmt::format_to(to, "]}}\n");
}

void append_ndjson(fmt::memory_buffer& out, const TableUsage& usage, const Census& census) {
    const auto to = std::back_inserter(out);
    for (const auto& [kind, count] : census.counts) {
        fmt::format_to(to, "{{\"family\":\"{}\",\"protocol\":\"{}\",\"state\":\"{}\",\"count\":{}}}\n",
                       to_string(kind.family), to_string(kind.protocol), to_string(kind.state), count);
    }
    fmt::format_to(to, "{{\"in_use\":{},\"maximum\":{},\"buckets\":{}}}\n", usage.in_use, usage.maximum, usage.buckets);
}

void append_text(fmt::memory_buffer& out, const TableUsage& usage, const Census& census) {
    const auto to = std::back_inserter(out);
    fmt::format_to(to, "in use {}", usage.in_use);
    if (usage.maximum != 0) {
        fmt::format_to(to, " of {} ({:.1f} %)", usage.maximum,
                       100.0 * static_cast<double>(usage.in_use) / static_cast<double>(usage.maximum));
    }
    fmt::format_to(to, ", {} buckets\n", usage.buckets);
    TextTable table{{{"FAMILY"}, {"PROTOCOL"}, {"STATE"}, {"FLOWS", Column::Align::Right}},
                    stdout_width(),
                    stdout_has_colour() ? TextTable::Colour::Yes : TextTable::Colour::No};
    for (const auto& [kind, count] : census.counts) {
        table.add({std::string{to_string(kind.family)}, std::string{to_string(kind.protocol)},
                   std::string{to_string(kind.state)}, fmt::format("{}", count)},
                  out);
    }
    table.finish(out);
}

}  // namespace

Result<ExitCode> run_table_command(const TableArguments& arguments) {
    const auto format = arguments.output.format();
    if (!format) return tl::unexpected(format.error());
    const auto endpoint = arguments.endpoint.choose();
    if (!endpoint) return tl::unexpected(endpoint.error());
    const auto table = endpoint->open_table();
    if (!table) return tl::unexpected(table.error());
    const auto usage = (*table)->usage();
    if (!usage) return tl::unexpected(usage.error());
    Census census;
    FlowQuery everything;
    everything.filters = {FlowFilter{}};
    everything.states = StateScope::Any;
    if (auto narrowed = endpoint->narrow(everything); !narrowed) return tl::unexpected(std::move(narrowed.error()));
    if (auto scanned = (*table)->scan(everything, {SystemClock{}.now(), std::nullopt}, census); !scanned) {
        return tl::unexpected(std::move(scanned.error()));
    }
    census.finish();

    OutputStream out{STDOUT_FILENO};
    switch (*format) {
        case OutputFormat::Table:
            append_text(out.buffer(), *usage, census);
            break;
        case OutputFormat::Json:
            append_json(out.buffer(), *usage, census);
            break;
        case OutputFormat::Ndjson:
            append_ndjson(out.buffer(), *usage, census);
            break;
    }
    if (const auto flushed = out.flush(); !flushed && flushed.error().number != EPIPE) {
        return tl::unexpected(flushed.error());
    }
    return ExitCode::Done;
}

}  // namespace headgate::cli
