#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/text_table.h"
#include "gateway/gateway_json.h"

namespace headgate::cli {
namespace {

void append_text(fmt::memory_buffer& out, const gateway::TableCensus& census) {
    const auto to = std::back_inserter(out);
    fmt::format_to(to, "in use {}", census.usage.in_use);
    if (census.usage.maximum != 0) {
        fmt::format_to(to, " of {} ({:.1f} %)", census.usage.maximum,
                       100.0 * static_cast<double>(census.usage.in_use) / static_cast<double>(census.usage.maximum));
    }
    if (census.peak) fmt::format_to(to, ", peak {}", *census.peak);
    fmt::format_to(to, ", {} buckets\n", census.usage.buckets);
    auto table = TextTable::for_stdout({{"FAMILY"}, {"PROTOCOL"}, {"STATE"}, {"FLOWS", Column::Align::Right}});
    for (const auto& [kind, count] : census.flows) {
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
    const auto gateway =
        arguments.endpoint.network_namespace ? arguments.gateway.open_here() : arguments.gateway.open();
    if (!gateway) return tl::unexpected(gateway.error());
    const auto census = (*gateway)->count_flows(arguments.endpoint.name());
    if (!census) return tl::unexpected(about_argument(census.error()));

    OutputStream out{STDOUT_FILENO};
    switch (*format) {
        case OutputFormat::Table:
            append_text(out.buffer(), *census);
            break;
        case OutputFormat::Json:
            gateway::append_census_json(out.buffer(), *census);
            break;
        case OutputFormat::Ndjson:
            gateway::append_census_ndjson(out.buffer(), *census);
            break;
    }
    if (const auto flushed = out.flush(); !flushed && flushed.error().number != EPIPE) {
        return tl::unexpected(flushed.error());
    }
    return ExitCode::Done;
}

}  // namespace headgate::cli
