#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/operation_follower.h"
#include "cli/output_stream.h"
#include "cli/terminal.h"
#include "cli/text_table.h"
#include "flow/flow_json.h"
#include "flow/utf8.h"
#include "gateway/gateway_json.h"
#include "operations/operation_json.h"

namespace headgate::cli {
namespace {

constexpr std::uint64_t kMostListed = 10'000;

/// That nobody reads to the end is no error.
Result<ExitCode> flushed(OutputStream& out) {
    const auto written = out.flush();
    if (!written && written.error().number != EPIPE) return tl::unexpected(written.error());
    return ExitCode::Done;
}

Result<std::optional<OperationType>> parse_type(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    if (*text == "capture") return OperationType::Capture;
    if (*text == "flush") return OperationType::Flush;
    return invalid("--type: \"{}\" is neither capture nor flush", *text);
}

std::string type_text(const FlowOperation& operation) {
    if (operation.type == OperationType::Capture) return "capture";
    return operation.dry_run ? "flush, dry run" : "flush";
}

std::string who(const Caller& caller) {
    const auto& user = caller.sudo_user.empty() ? caller.user : caller.sudo_user;
    return user.empty() && caller.uid ? fmt::format("uid {}", *caller.uid) : user;
}

void append_list_text(fmt::memory_buffer& out, const std::vector<FlowOperation>& operations) {
    constexpr auto kRight = Column::Align::Right;
    auto table = TextTable::for_stdout({{"ID"},
                                        {"TYPE"},
                                        {"STATUS"},
                                        {"FIREWALL", Column::Align::Left, 2},
                                        {"ZONE", Column::Align::Left, 1},
                                        {"REQUESTED", Column::Align::Left, 4},
                                        {"BY", Column::Align::Left, 3},
                                        {"MATCHED", kRight},
                                        {"FLUSHED", kRight}});
    for (const auto& each : operations) {
        table.add({each.id, type_text(each), std::string{to_string(each.status)}, each.endpoint.firewall,
                   each.endpoint.network_namespace.empty() ? each.endpoint.availability_zone
                                                           : "netns " + each.endpoint.network_namespace,
                   to_rfc3339(each.requested_at), who(each.caller), fmt::format("{}", each.counts.matched),
                   each.type == OperationType::Flush ? fmt::format("{}", each.counts.flushed) : ""},
                  out);
    }
    table.finish(out);
}

void append_line(fmt::memory_buffer& out, std::string_view name, std::string_view value) {
    if (!value.empty()) fmt::format_to(std::back_inserter(out), "{:<22}{}\n", name, as_printable(value));
}

std::string filters_text(const FlowQuery& query) {
    std::string text;
    for (const auto& filter : query.filters)
        text += (text.empty() ? "" : " or ") + to_string(filter);
    return text;
}

void append_text(fmt::memory_buffer& out, const FlowOperation& operation) {
    const auto& counts = operation.counts;
    append_line(out, "operation", operation.id);
    append_line(out, "type", type_text(operation));
    append_line(out, "status", to_string(operation.status));
    if (operation.status == OperationStatus::InProgress) append_line(out, "phase", to_string(operation.phase));
    append_line(out, "status message", operation.status_message);
    append_line(out, "detail", operation.detail);
    for (const auto& warning : operation.warnings)
        append_line(out, "warning", warning);
    append_line(out, "firewall", operation.endpoint.firewall);
    append_line(out, "availability zone", operation.endpoint.availability_zone);
    append_line(out, "network namespace", operation.endpoint.network_namespace);
    append_line(out, "requested at", to_rfc3339(operation.requested_at));
    append_line(out, "requested by", who(operation.caller));
    append_line(out, "from", operation.caller.source_address);
    append_line(out, "duration", fmt::format("{} ms", operation.duration.count()));
    append_line(out, "filters", filters_text(operation.query));
    if (const auto& states = operation.query.states) append_line(out, "state", to_string(*states));
    append_line(out, "flows of", operation.from_operation);
    if (operation.query.minimum_age.count() != 0) {
        append_line(out, "minimum age", fmt::format("{} s", operation.query.minimum_age.count()));
    }
    append_line(out, "search", operation.plan);
    append_line(out, "counts",
                fmt::format("{} scanned, {} matched{}", counts.scanned, counts.matched,
                            counts.closed != 0 ? fmt::format(", {} closed beside them", counts.closed) : ""));
    if (operation.type == OperationType::Capture) return;
    append_line(out, "",
                fmt::format("{} flushed, {} gone, {} failed, {} protected", counts.flushed, counts.gone, counts.failed,
                            counts.protected_flows));
    append_line(out, "policy", operation.stream_exception_policy);
}

/// What the commands about one operation begin with.
struct FoundOperation {
    OutputFormat format{};
    std::unique_ptr<gateway::Gateway> gateway;
    FlowOperation operation;
};

Result<FoundOperation> find_operation(const OperationsArguments& arguments) {
    const auto format = arguments.output.format();
    if (!format) return tl::unexpected(format.error());
    auto gateway = arguments.gateway.open_history();
    if (!gateway) return tl::unexpected(std::move(gateway.error()));
    auto operation = (*gateway)->find(arguments.id);
    if (!operation) return tl::unexpected(std::move(operation.error()));
    return FoundOperation{*format, std::move(*gateway), std::move(*operation)};
}

}  // namespace

Result<ExitCode> run_operations_list_command(const OperationsArguments& arguments) {
    OperationSelection selection;
    const auto type = parse_type(arguments.type);
    if (!type) return tl::unexpected(type.error());
    selection.type = *type;
    if (arguments.limit) {
        const auto limit = parse_count("--limit", *arguments.limit);
        if (!limit) return tl::unexpected(limit.error());
        if (*limit < 1 || *limit > kMostListed)
            return invalid("--limit: {} is not within 1 to {}", *limit, kMostListed);
        selection.at_most = *limit;
    }
    const auto format = arguments.output.format();
    if (!format) return tl::unexpected(format.error());
    const auto gateway = arguments.gateway.open_history();
    if (!gateway) return tl::unexpected(gateway.error());
    const auto operations = (*gateway)->list(selection);
    if (!operations) return tl::unexpected(operations.error());
    OutputStream out{STDOUT_FILENO};
    switch (*format) {
        case OutputFormat::Table:
            append_list_text(out.buffer(), *operations);
            break;
        case OutputFormat::Json:
            gateway::append_operations_json(out.buffer(), *operations);
            out.buffer().push_back('\n');
            break;
        case OutputFormat::Ndjson:
            for (const auto& each : *operations) {
                operations::append_operation_json(out.buffer(), each);
                out.buffer().push_back('\n');
            }
            break;
    }
    if (!arguments.limit && operations->size() == selection.at_most) {
        tell(fmt::format("these are the newest {}; --limit N shows more", selection.at_most));
    }
    return flushed(out);
}

Result<ExitCode> run_operations_show_command(const OperationsArguments& arguments) {
    const auto found = find_operation(arguments);
    if (!found) return tl::unexpected(found.error());
    OutputStream out{STDOUT_FILENO};
    if (found->format == OutputFormat::Table) {
        append_text(out.buffer(), found->operation);
    } else {
        operations::append_operation_json(out.buffer(), found->operation);
        out.buffer().push_back('\n');
    }
    return flushed(out);
}

Result<ExitCode> run_operations_results_command(const OperationsArguments& arguments) {
    const auto found = find_operation(arguments);
    if (!found) return tl::unexpected(found.error());
    const auto& operation = found->operation;
    if (operation.status == OperationStatus::InProgress) {
        return refused("operation {} is in progress: headgate operations show follows it", operation.id);
    }
    return OperationOutput{found->format}.finish(*found->gateway, operation).map([] { return ExitCode::Done; });
}

}  // namespace headgate::cli
