// SPDX-License-Identifier: GPL-2.0-or-later
#include <iterator>

#include "cli/arguments.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/output_arguments.h"
#include "gateway/gateway_json.h"

namespace headgate::cli {
namespace {

std::vector<Column> kind_columns() {
    return {{"FAMILY"}, {"PROTOCOL"}, {"STATE"}, {"FLOWS", Column::Align::Right}};
}

struct TableArguments {
    EndpointArguments endpoint;
    OutputArguments output{kind_columns()};

    void add_to(CLI::App& command) {
        endpoint.add_to(command);
        output.add_to(command);
    }
};

Cells kind_cells(const gateway::FlowKind& kind, std::uint64_t count) {
    return {std::string{to_string(kind.family)}, std::string{to_string(kind.protocol)},
            std::string{to_string(kind.state)}, count};
}

void append_usage_text(fmt::memory_buffer& out, const gateway::TableStatistics& statistics) {
    const auto to = std::back_inserter(out);
    fmt::format_to(to, "in use {}", statistics.usage.in_use);
    if (statistics.usage.maximum != 0) {
        fmt::format_to(
            to, " of {} ({:.1f} %)", statistics.usage.maximum,
            100.0 * static_cast<double>(statistics.usage.in_use) / static_cast<double>(statistics.usage.maximum));
    }
    if (statistics.peak) fmt::format_to(to, ", peak {}", *statistics.peak);
    fmt::format_to(to, ", {} buckets\n", statistics.usage.buckets);
}

Result<ExitCode> run_table(const GatewayArguments& gateway_arguments, const TableArguments& arguments, Writer& writer) {
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open(arguments.endpoint.name()));
    const auto statistics = gateway->tables().statistics(arguments.endpoint.name());
    if (!statistics) return tl::unexpected(about_argument(statistics.error()));

    const auto append_usage = [&](fmt::memory_buffer& out) {
        JsonMembers members{out};
        gateway::add_usage(members, *statistics);
    };
    writer.begin({.list = "flows",
                  .text = [&](fmt::memory_buffer& out) { append_usage_text(out, *statistics); },
                  .json =
                      [&](fmt::memory_buffer& out) {
                          append_usage(out);
                          out.push_back(',');
                      }});
    for (const auto& each : statistics->flows) {
        writer.row([&](fmt::memory_buffer& out) { gateway::append_kind_json(out, each.first, each.second); },
                   [&] { return kind_cells(each.first, each.second); });
    }
    return done(writer.end({.ndjson = [&](fmt::memory_buffer& out) {
        out.push_back('{');
        append_usage(out);
        out.push_back('}');
    }}));
}

}  // namespace

void add_table_command(CommandTree& tree) {
    auto& command = tree.add(tree.app(), "table", "Show how full the flow table is, and of what", run_table);
    add_examples(command, {"headgate table", "headgate table --netns gateway --sort flows"});
}

}  // namespace headgate::cli
