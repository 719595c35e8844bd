// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/verdict_text.h"

#include <fmt/ranges.h>

#include "base/printable.h"
#include "cli/flow_text.h"

namespace headgate::cli {
namespace {

std::string then_text(const Translation& then) {
    FlowTuple tuple;
    tuple.protocol = then.destination_port != 0 ? Protocol::Tcp : Protocol::Icmp;
    tuple.destination = then.destination;
    tuple.destination_port = then.destination_port;
    const auto to = then.destination_port != 0 ? destination_text(tuple) : to_string(then.destination);
    return fmt::format("to {} from {}", to, to_string(then.source));
}

void append_table(fmt::memory_buffer& out, TextTable&& table) {
    out.push_back('\n');
    table.finish(out);
}

}  // namespace

std::string rule_text(const RuleReference& rule) {
    const auto place = fmt::format("{} {} {}", rule.family, rule.table, rule.chain);
    return rule.handle ? fmt::format("{} handle {}: {}", place, *rule.handle, rule.text)
                       : fmt::format("{}: {}", place, rule.text);
}

std::string reason_text(const FlowVerdict& verdict) {
    if (verdict.then) return then_text(*verdict.then);
    if (!verdict.assumes.empty()) return fmt::format("assumes {}", fmt::join(verdict.assumes, ", "));
    if (verdict.reason.empty()) return verdict.rule ? rule_text(*verdict.rule) : std::string{};
    return verdict.rule ? fmt::format("{} ({})", verdict.reason, rule_text(*verdict.rule)) : verdict.reason;
}

std::string verdicts_text(const OperationCounts& counts) {
    std::string text;
    for (std::size_t i = 0; i < counts.verdicts.size(); ++i) {
        text +=
            fmt::format("{}{} {}", text.empty() ? "" : ", ", counts.verdicts[i].value_or(0), kNames<VerdictResult>[i]);
    }
    return text;
}

void append_reasons(fmt::memory_buffer& out, const FlowOperation& operation, TableLayout layout) {
    using enum Column::Align;
    constexpr auto kUsually = Column::Shown::Usually;
    layout.header = TableLayout::Header::Yes;
    if (!operation.refused_by.empty()) {
        TextTable table{{{"FLOWS", Right}, {"BYTES", Right}, {"REFUSED BY", Left, 0, kUsually, Column::Fit::Cut}},
                        layout};
        for (const auto& [rule, kind, flows, bytes] : operation.refused_by)
            table.add({flows, bytes ? Cell{Bytes{*bytes}} : Cell{}, rule_text(rule)}, out);
        append_table(out, std::move(table));
    }
    if (!operation.unknown_reasons.empty()) {
        TextTable table{{{"FLOWS", Right}, {"UNKNOWN BECAUSE", Left, 0, kUsually, Column::Fit::Cut}}, layout};
        for (const auto& [reason, rule, flows] : operation.unknown_reasons)
            table.add({flows, rule ? fmt::format("{} ({})", reason, rule_text(*rule)) : reason}, out);
        append_table(out, std::move(table));
    }
}

}  // namespace headgate::cli
