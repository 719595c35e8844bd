// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/operation_output.h"
#include "cli/output_arguments.h"
#include "cli/terminal.h"
#include "cli/verdict_text.h"
#include "flow/flow_json.h"
#include "gateway/whole_operation_id.h"
#include "operations/operation_json.h"

namespace headgate::cli {
namespace {

constexpr std::uint64_t kMostListed = 10'000;
constexpr std::uint64_t kListedAtOnce = 500;  // operations requested at once to select from

std::vector<Column> operation_columns() {
    using enum Column::Align;
    constexpr auto kUsually = Column::Shown::Usually;
    return {{"ID"},
            {"TYPE", Left, 5},
            {"STATUS"},
            {"TIME", Left, 1},
            {"BY", Left, 2, kUsually, Column::Fit::Cut},
            {"MATCHED", Right, 4},
            {"FLUSHED", Right, 3},
            {"FIREWALL", Left, 7},
            {"ZONE", Left, 8},
            {"FILTERS", Left, 6, kUsually, Column::Fit::Cut},
            {"REASON", Left, 5, kUsually, Column::Fit::Cut},
            {"DURATION MS", Right, 0, Column::Shown::OnRequest}};
}

struct ListArguments {
    std::optional<std::string> type, status, by, since, limit;
    OutputArguments output{operation_columns()};

    void add_to(CLI::App& command) {
        output.add_to(command);
        OptionGroup own{command};
        own.add("--type", "TYPE", type, "only this type: capture, flush or rematch");
        own.add(
            "--status", "STATUS", status,
            "only this status: in_progress, completed, completed_with_errors or failed; or of the failed ones those "
            "that were refused or declined");
        own.add("--by", "USER", by, "only operations of this user");
        own.add("--since", "TIME", since,
                "only operations requested since then: 90s, 5m, 2h, 7d ago, or 2026-11-29T18:10:14Z");
        own.add("--limit", "N", limit, "N operations at most");
    }
};

void add_operation_id(CLI::App& command, std::string& id) {
    command.add_option("ID", id, "the operation's id")->required();
}

struct ShowArguments {
    std::string id;
    OutputArguments output;

    void add_to(CLI::App& command) {
        output.add_to(command);
        add_operation_id(command, id);
    }
};

struct ResultsArguments {
    std::string id;
    OutputArguments output{flow_columns()};

    void add_to(CLI::App& command) {
        output.add_to(command);
        add_operation_id(command, id);
    }
};

Result<std::optional<OperationType>> parse_type(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    auto found = find_name(kOperationVerbs, *text, LetterCase::Exact);
    if (!found) return tl::unexpected(std::move(found.error()).within("--type"));
    return static_cast<OperationType>(*found);
}

/// Flows that were ended; of a dry run those that would be.
Cell flushed_cell(const FlowOperation& operation) {
    if (!kind_of(operation.type).has_outcomes) return {};
    return operation.dry_run ? Cell{Would{would_be_flushed(operation)}} : Cell{operation.counts.flushed};
}

std::string type_text(const FlowOperation& operation) {
    return std::string{operation.dry_run ? "dry run" : kind_of(operation.type).verb};
}

std::string filters_text(const FlowQuery& query) {
    std::string text;
    for (const auto& filter : query.filters)
        text += (text.empty() ? "" : " or ") + to_string(filter);
    return text;
}

Cells operation_cells(const FlowOperation& operation) {
    const auto& [firewall, availability_zone, network_namespace] = operation.endpoint;
    return {ShortId{operation.id},
            type_text(operation),
            std::string{result_of(operation)},
            operation.requested_at,
            operation.caller.name(),
            operation.counts.matched,
            flushed_cell(operation),
            firewall,
            network_namespace.empty() ? availability_zone : "netns " + network_namespace,
            filters_text(operation.query),
            operation.detail,
            static_cast<std::uint64_t>(operation.duration.count())};
}

void append_operation_text(fmt::memory_buffer& out, const FlowOperation& operation, const TableLayout& layout) {
    const auto& style = layout.style;
    const auto& counts = operation.counts;
    const auto append_line = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) append_named(out, name, 22, value);
    };
    append_line("operation", operation.id);
    append_line("type", type_text(operation));
    append_line("status", result_of(operation));
    if (operation.status == OperationStatus::InProgress) append_line("phase", to_string(operation.phase));
    append_line("status message", operation.status_message);
    append_line("detail", operation.detail);
    for (const auto& warning : operation.warnings)
        append_line("warning", warning);
    append_line("firewall", operation.endpoint.firewall);
    append_line("availability zone", operation.endpoint.availability_zone);
    append_line("network namespace", operation.endpoint.network_namespace);
    append_line("requested at", whole_time_text(operation.requested_at, style));
    append_line("requested by", operation.caller.name());
    append_line("from", operation.caller.source_address);
    append_line("duration", fmt::format("{} ms", operation.duration.count()));
    append_line("filters", filters_text(operation.query));
    if (const auto& states = operation.query.states) append_line("state", to_string(*states));
    append_line("flows of", operation.from_operation);
    if (operation.query.minimum_age.count() != 0) {
        append_line("minimum age", rounded_duration(operation.query.minimum_age));
    }
    append_line("search", operation.plan);
    append_line("counts", fmt::format("{} scanned, {} matched{}", counts.scanned, counts.matched,
                                      counts.closed != 0 ? fmt::format(", {} closed beside them", counts.closed) : ""));
    if (const auto& ruleset = operation.ruleset) {
        append_line("", verdicts_text(counts));
        append_line("ruleset", fmt::format("{}, generation {}",
                                           ruleset->source == RulesetSource::Candidate ? "a candidate" : "in force",
                                           ruleset->generation));
    }
    if (kind_of(operation.type).has_verdicts) append_reasons(out, operation, layout);
    if (!kind_of(operation.type).has_outcomes) return;
    append_line("", outcomes_text(operation));
    for (const auto& [rule, flows] : operation.protected_by)
        append_line("", fmt::format("{} by {}", flows, rule));
    append_line("policy", fmt::format("{}{}", operation.stream_exception_policy,
                                      operation.policy_applied ? ", put in force by this flush" : ""));
    append_line("flushed flows", blocked_text(operation, style));
}

/// An operation and the gateway that has it.
struct FoundOperation {
    std::unique_ptr<gateway::Gateway> gateway;
    FlowOperation operation;
};

Result<FoundOperation> find_operation(const GatewayArguments& gateway_arguments, std::string_view written) {
    ASSIGN_OR_RETURN(const auto id, gateway::parse_operation_id(written));
    ASSIGN_OR_RETURN(auto gateway, gateway_arguments.open_history());
    return gateway->operations().find(id).map([&](FlowOperation&& operation) {
        return FoundOperation{std::move(gateway), std::move(operation)};
    });
}

/// What a gateway selects, and what it does not.
struct Choice {
    OperationSelection selection;
    std::string_view result;  ///< kRefused or kDeclined; empty: any
};

/// The statuses in their order, and what failed operations are called beside that.
constexpr auto kResults = [] {
    std::array<std::string_view, kNames<OperationStatus>.size() + 2> names{};
    *std::ranges::copy(kNames<OperationStatus>, names.begin()).out = kRefused;
    names.back() = kDeclined;
    return names;
}();

Result<void> choose_status(const std::string& text, Choice& choice) {
    auto found = find_name(kResults, text, LetterCase::Ignored);
    if (!found) return tl::unexpected(std::move(found.error()).within("--status"));
    const bool is_status = *found < kNames<OperationStatus>.size();
    choice.selection.status = is_status ? static_cast<OperationStatus>(*found) : OperationStatus::Failed;
    if (!is_status) choice.result = kResults.at(*found);
    return {};
}

Result<Choice> choice_of(const ListArguments& arguments) {
    Choice choice;
    choice.selection.user = arguments.by;
    ASSIGN_OR_RETURN(choice.selection.type, parse_type(arguments.type));
    if (arguments.status) RETURN_IF_ERROR(choose_status(*arguments.status, choice));
    ASSIGN_OR_RETURN(choice.selection.since, parse_time("--since", arguments.since));
    ASSIGN_OR_RETURN(const auto limit, parse_count("--limit", arguments.limit));
    choice.selection.at_most = limit.value_or(choice.selection.at_most);
    if (limit && (*limit < 1 || *limit > kMostListed)) {
        return invalid("--limit: {} is not within 1 to {}", *limit, kMostListed);
    }
    return choice;
}

/// Reads page by page what the gateway selects; the newest operation comes first.
Result<std::vector<FlowOperation>> with_result(gateway::FlowOperations& gateway, const Choice& choice) {
    std::vector<FlowOperation> found;
    auto page = choice.selection;
    page.at_most = kListedAtOnce;
    for (;;) {
        ASSIGN_OR_RETURN(auto listed, gateway.list(page));
        if (!listed.empty()) page.before_id = listed.back().id;
        for (auto& each : listed) {
            if (result_of(each) != choice.result) continue;
            found.push_back(std::move(each));
            if (found.size() == choice.selection.at_most) return found;
        }
        if (listed.size() < page.at_most) return found;
    }
}

Result<ExitCode> run_list(const GatewayArguments& gateway_arguments, const ListArguments& arguments, Writer& writer) {
    ASSIGN_OR_RETURN(const auto choice, choice_of(arguments));
    ASSIGN_OR_RETURN(const auto gateway, gateway_arguments.open_history());
    ASSIGN_OR_RETURN(const auto operations, choice.result.empty() ? gateway->operations().list(choice.selection)
                                                                  : with_result(gateway->operations(), choice));
    if (!arguments.limit && operations.size() == choice.selection.at_most) {
        note(fmt::format("these are the newest {}; --limit N shows more", choice.selection.at_most));
    }
    if (operations.empty()) note("no operation in the history matches");
    writer.begin({.list = "operations"});
    for (const auto& each : operations) {
        writer.row([&](fmt::memory_buffer& out) { operations::append_operation_json(out, each); },
                   [&] { return operation_cells(each); });
    }
    return done(writer.end());
}

Result<ExitCode> run_show(const GatewayArguments& gateway_arguments, const ShowArguments& arguments, Writer& writer) {
    ASSIGN_OR_RETURN(const auto found, find_operation(gateway_arguments, arguments.id));
    const auto& operation = found.operation;
    return done(
        writer.document([&](fmt::memory_buffer& out) { operations::append_operation_json(out, operation); },
                        [&](fmt::memory_buffer& out) { append_operation_text(out, operation, writer.layout()); }));
}

Result<ExitCode> run_results(const GatewayArguments& gateway_arguments, const ResultsArguments& arguments,
                             Writer& writer) {
    ASSIGN_OR_RETURN(const auto found, find_operation(gateway_arguments, arguments.id));
    const auto& operation = found.operation;
    if (operation.status == OperationStatus::InProgress) {
        return refused("operation {} is in progress: headgate operations show follows it", operation.id);
    }
    return done(OperationOutput{writer}.finish(found.gateway->operations(), operation));
}

}  // namespace

void add_operations_commands(CommandTree& tree) {
    CLI::App& operations = tree.add_group("operations", "Look up captures, flushes and rematches of the last hours");
    add_examples(operations, {"headgate operations list --since 1h", "headgate operations show 4f7b2c1e"});
    add_examples(tree.add(operations, "list", "List captures, flushes and rematches, the newest first", run_list),
                 {"headgate operations list --type flush --by alice --since 2h",
                  "headgate operations list --status failed -o wide",
                  "headgate operations list --columns id --no-header   # for a script"});
    add_examples(tree.add(operations, "show", "Show one: its progress, or how it ended", run_show),
                 {"headgate operations show 4f7b2c1e   # the first characters of an id will do"});
    add_examples(tree.add(operations, "results", "Show the flows of one again", run_results),
                 {"headgate operations results 4f7b2c1e --sort bytes",
                  "headgate operations results 4f7b2c1e --output csv > flows.csv"});
}

}  // namespace headgate::cli
