// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/operation_output.h"

#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "cli/flow_text.h"
#include "cli/interruption.h"
#include "cli/verdict_text.h"
#include "flow/flow_csv.h"
#include "flow/flow_json.h"
#include "operations/operation_json.h"

namespace headgate::cli {
namespace {

/// The flow state, followed by the protocol's own state if that differs.
std::string state_text(const Flow& flow) {
    const auto own = protocol_state_name(flow);
    const auto ours = to_string(state(flow));
    return own && *own != ours ? fmt::format("{} ({})", ours, *own) : std::string{ours};
}

std::string translated_text(const Flow& flow) {
    const FlowTuple after = translated(flow);
    if (after == flow.original) return {};
    return fmt::format("{} -> {}", source_text(after), destination_text(after));
}

template <typename Value>
Cell counter_cell(const std::optional<Counters>& counters, std::uint64_t Counters::*counter) {
    return counters ? Cell{Value{(*counters).*counter}} : Cell{};
}

std::string outcome_text(const FlowRow& row) {
    if (!row.outcome) return {};
    const auto outcome = to_string(*row.outcome);
    if (row.error == 0) return std::string{outcome};
    return fmt::format("{}: {}", outcome, std::generic_category().message(row.error));
}

Cells flow_cells(const FlowRow& row, const Moment& moment, bool dry_run) {
    const auto& flow = row.flow;
    return {
        std::string{to_string(flow.original.protocol)},
        source_text(flow.original),
        destination_text(flow.original),
        translated_text(flow),
        state_text(flow),
        cell_if(age(flow, moment)),
        cell_if(flow.timeout),
        counter_cell<Bytes>(flow.counters_original, &Counters::bytes),
        counter_cell<Bytes>(flow.counters_reply, &Counters::bytes),
        flow.mark ? Cell{Mark{*flow.mark}} : Cell{},
        flow.zone != 0 ? fmt::format("{}", flow.zone) : "",
        dry_run && !row.outcome ? "would be flushed" : outcome_text(row),
        row.verdict ? std::string{to_string(row.verdict->result)} : "",
        row.verdict ? reason_text(*row.verdict) : "",
        counter_cell<std::uint64_t>(flow.counters_original, &Counters::packets),
        counter_cell<std::uint64_t>(flow.counters_reply, &Counters::packets),
        cell_if(flow.started),
        std::uint64_t{flow.id},
    };
}

CsvVerdicts csv_verdicts(const FlowOperation& operation) {
    return has_verdicts(operation) ? CsvVerdicts::Yes : CsvVerdicts::No;
}

constexpr std::string_view kNewConnections = "new connections are not blocked: that takes a rule of the firewall";

void append_summary_text(fmt::memory_buffer& out, const FlowOperation& operation, const TableLayout& layout) {
    const auto& counts = operation.counts;
    const auto to = std::back_inserter(out);
    fmt::format_to(to, "{} of {} flows match", counts.matched, counts.scanned);
    if (counts.closed != 0) {
        fmt::format_to(to, ", and beside them {} closed (--state ANY shows both)", counts.closed);
    }
    const auto& kind = kind_of(operation.type);
    if (kind.has_outcomes) fmt::format_to(to, ": {}", outcomes_text(operation));
    if (kind.has_verdicts) fmt::format_to(to, ": {}", verdicts_text(counts));
    out.push_back('\n');
    if (operation.ruleset && !kind.has_verdicts) fmt::format_to(to, "judged before: {}\n", verdicts_text(counts));
    if (operation.blocked) fmt::format_to(to, "{}\n{}\n", blocked_text(operation, layout.style), kNewConnections);
    if (kind.has_verdicts) append_reasons(out, operation, layout);
}

}  // namespace

std::string rules_text(const std::vector<ProtectedBy>& rules) {
    std::string text;
    for (const auto& [rule, flows] : rules)
        text += fmt::format("{}{} by {}", text.empty() ? ": " : "; ", flows, rule);
    return text;
}

std::string outcomes_text(const FlowOperation& operation) {
    const auto& counts = operation.counts;
    if (operation.dry_run) {
        return fmt::format("{} would be flushed, {} gone, {} protected (dry run)", would_be_flushed(operation),
                           counts.gone, counts.protected_flows);
    }
    return fmt::format("{} flushed, {} gone, {} failed, {} protected", counts.flushed, counts.gone, counts.failed,
                       counts.protected_flows);
}

std::string blocked_text(const FlowOperation& operation, const CellStyle& style) {
    const auto& first = operation.blocked_until;
    const auto& last = operation.last_blocked_until;
    if (!operation.blocked) return {};
    if (!first) return fmt::format("blocked as long as policy {} is in force", operation.stream_exception_policy);
    auto until = time_text(*first, style);
    if (last && *last != *first) until += fmt::format(", the last of them until {}", time_text(*last, style));
    return fmt::format("blocked until {}; later packets are judged by your rules", until);
}

std::vector<Column> flow_columns() {
    using enum Column::Align;
    constexpr auto kOnRequest = Column::Shown::OnRequest;
    return {
        {"PROTOCOL", Left, 0},
        {"SOURCE", Left, 0},
        {"DESTINATION", Left, 0},
        {"TRANSLATED", Left, 3},
        {"STATE", Left, 2},
        {"AGE", Right, 4},
        {"TIMEOUT", Right, 7},
        {"BYTES", Right, 5},
        {"BYTES BACK", Right, 6},
        {"MARK", Right, 8},
        {"ZONE", Right, 9},
        {"OUTCOME", Left, 0},
        {"VERDICT", Left, 0},
        {"REASON", Left, 1, Column::Shown::Usually, Column::Fit::Cut},
        {"PACKETS", Right, 0, kOnRequest},
        {"PACKETS BACK", Right, 0, kOnRequest},
        {"STARTED", Left, 0, kOnRequest},
        {"ID", Right, 0, kOnRequest},
    };
}

void OperationOutput::begin(const FlowOperation& operation) {
    if (std::exchange(begun_, true)) return;
    const auto verdicts = csv_verdicts(operation);
    writer_.begin({.list = "flows",
                   .json =
                       [&](fmt::memory_buffer& out) {
                           operations::append_request_members(out, operation);
                           out.append(std::string_view{",\n"});
                       },
                   .csv_header = [=](fmt::memory_buffer& out) { append_flow_csv_header(out, verdicts); },
                   .is_vital = kind_of(operation.type).has_outcomes});
}

void OperationOutput::write_flows(gateway::FlowOperations& operations, const FlowOperation& operation) {
    if (!written_) return;
    const bool is_running = operation.status == OperationStatus::InProgress;
    const auto moment = moment_of(operation);
    const auto verdicts = csv_verdicts(operation);
    written_ = operations.for_each_flow(operation.id, flows_, [&](std::span<const FlowRow> flows) -> Result<void> {
        begin(operation);
        Result<void> written;
        for (const auto& each : flows) {
            if (shows_ && !shows_(each)) continue;
            const auto append_record = [&](fmt::memory_buffer& out) {
                writer_.writes_csv_lines() ? append_flow_csv(out, each, moment, verdicts)
                                           : append_flow_json(out, each, moment);
            };
            written = writer_.row(append_record, [&] { return flow_cells(each, moment, operation.dry_run); });
        }
        flows_ += flows.size();
        // Who interrupts an operation does not wait until all that it has found is written.
        if (written && is_running && Interruption::requested()) return make_error(ErrorKind::Cancelled, "interrupted");
        return written;
    });
    if (is_running && !written_ && written_.error().kind == ErrorKind::Cancelled) written_ = {};
}

Result<void> OperationOutput::finish(gateway::FlowOperations& operations, const FlowOperation& operation) {
    write_flows(operations, operation);
    if (written_) {
        begin(operation);
        written_ = writer_.end(
            {.text = [&](fmt::memory_buffer& out) { append_summary_text(out, operation, writer_.layout()); },
             .json = [&](fmt::memory_buffer& out) { operations::append_result_members(out, operation); },
             .ndjson = [&](fmt::memory_buffer& out) { operations::append_operation_json(out, operation); }});
    }
    auto written = unless_unread(written_);
    if (!written) {
        written.error().message += fmt::format("; headgate operations results {} prints the flows again", operation.id);
    }
    return written;
}

}  // namespace headgate::cli
