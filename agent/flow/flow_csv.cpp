// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/flow_csv.h"

#include <fmt/compile.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <system_error>

#include "base/printable.h"

namespace headgate {
namespace {

using Buffer = fmt::memory_buffer;

constexpr std::array kTupleColumns{"source",    "source_port", "destination", "destination_port", "icmp_type",
                                   "icmp_code", "icmp_id",     "source_key",  "destination_key"};

constexpr std::string_view kNoTuple = ",,,,,,,,,";
static_assert(kNoTuple.size() == kTupleColumns.size());

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kFirstColumns = "id,family,protocol";
constexpr std::string_view kLastColumns =
    ",state,protocol_state,status,started_at,age_seconds,timeout_seconds,packets,bytes,packets_reply,bytes_reply,mark,"
    "zone,zone_direction,outcome,error";
constexpr std::string_view kVerdictColumns =
    ",verdict,refused_by,rule_family,rule_table,rule_chain,rule_handle,rule,assumes,then_source,then_destination,"
    "then_destination_port,reason";
constexpr std::string_view kNoVerdict = ",,,,,,,,,,,,";
static_assert(static_cast<std::size_t>(std::ranges::count(kVerdictColumns, ',')) == kNoVerdict.size());

void append(Buffer& out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
}

void append_number(Buffer& out, std::uint64_t number) {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), number);
}

/// The add functions write a column after the first, so they begin with a comma.
void add_text(Buffer& out, std::string_view text) {
    out.push_back(',');
    append(out, text);
}

template <typename Number>
void add_number(Buffer& out, std::optional<Number> number) {
    out.push_back(',');
    if (number) append_number(out, *number);
}

void add_seconds(Buffer& out, std::optional<std::chrono::seconds> duration) {
    add_number(out, duration ? std::optional{static_cast<std::uint64_t>(duration->count())} : std::nullopt);
}

void add_address(Buffer& out, const Address& address) {
    std::array<char, kAddressText> text{};
    add_text(out, {text.data(), write_address(text, address)});
}

void add_counters(Buffer& out, const std::optional<Counters>& counters) {
    add_number(out, counters ? std::optional{counters->packets} : std::nullopt);
    add_number(out, counters ? std::optional{counters->bytes} : std::nullopt);
}

/// Appends the nine values of kTupleColumns.
void add_tuple(Buffer& out, const FlowTuple& tuple) {
    const auto given = [](bool is_given, auto value) { return is_given ? std::optional{value} : std::nullopt; };
    const bool ports = has_ports(tuple);
    const bool icmp = is_icmp(tuple.protocol);
    const bool keys = tuple.protocol == Protocol::Gre;
    add_address(out, tuple.source);
    add_number(out, given(ports, tuple.source_port));
    add_address(out, tuple.destination);
    add_number(out, given(ports, tuple.destination_port));
    add_number(out, given(icmp, tuple.icmp_type));
    add_number(out, given(icmp, tuple.icmp_code));
    add_number(out, given(icmp, tuple.icmp_id));
    add_number(out, given(keys, tuple.source_port));
    add_number(out, given(keys, tuple.destination_port));
}

void add_status(Buffer& out, std::uint32_t status) {
    out.push_back(',');
    bool first = true;
    for (unsigned bit = 0; bit < kStatusBits; ++bit) {
        if ((status >> bit & 1U) == 0) continue;
        if (!std::exchange(first, false)) out.push_back(' ');
        append(out, status_name(bit));
    }
}

/// Appends the values of kVerdictColumns.
void add_verdict(Buffer& out, const FlowVerdict& verdict) {
    const auto quoted = [&](std::string_view text) {
        out.push_back(',');
        append_csv_text(out, as_printable(text));
    };
    const auto rule = verdict.rule.value_or(RuleReference{});
    add_text(out, to_string(verdict.result));
    add_text(out, verdict.kind ? to_string(*verdict.kind) : std::string_view{});
    for (const auto* text : {&rule.family, &rule.table, &rule.chain})
        quoted(*text);
    add_number(out, rule.handle);
    quoted(rule.text);
    quoted(fmt::format("{}", fmt::join(verdict.assumes, "; ")));
    const auto& then = verdict.then;
    add_text(out, then ? to_string(then->source) : std::string{});
    add_text(out, then ? to_string(then->destination) : std::string{});
    const bool has_port = then && then->destination_port != 0;
    add_number(out, has_port ? std::optional{then->destination_port} : std::nullopt);
    quoted(verdict.reason);
}

}  // namespace

void append_flow_csv_header(Buffer& out, CsvVerdicts verdicts) {
    append(out, kFirstColumns);
    for (const auto* column : kTupleColumns)
        add_text(out, column);
    for (const auto* column : kTupleColumns) {
        add_text(out, "translated_");
        append(out, column);
    }
    append(out, kLastColumns);
    if (verdicts == CsvVerdicts::Yes) append(out, kVerdictColumns);
    append(out, kLineEnd);
}

void append_flow_csv(Buffer& out, const FlowRow& row, const Moment& moment, CsvVerdicts verdicts) {
    const Flow& flow = row.flow;
    append_number(out, flow.id);
    add_text(out, to_string(flow.original.source.family));
    add_text(out, to_string(flow.original.protocol));
    add_tuple(out, flow.original);
    if (const auto after = translated(flow); after != flow.original) {
        add_tuple(out, after);
    } else {
        append(out, kNoTuple);
    }
    add_text(out, to_string(state(flow)));
    add_text(out, protocol_state_name(flow).value_or(""));
    add_status(out, flow.status);
    out.push_back(',');
    if (flow.started) append_start_time(out, *flow.started);
    add_seconds(out, age(flow, moment));
    add_seconds(out, flow.timeout);
    add_counters(out, flow.counters_original);
    add_counters(out, flow.counters_reply);
    add_number(out, flow.mark);
    add_number(out, std::optional{flow.zone});
    add_text(out, flow.zone_direction == ZoneDirection::Both ? "" : to_string(flow.zone_direction));
    add_text(out, row.outcome ? to_string(*row.outcome) : std::string_view{});
    out.push_back(',');
    append_csv_text(out, row.error != 0 ? std::generic_category().message(row.error) : std::string{});
    if (verdicts == CsvVerdicts::Yes) row.verdict ? add_verdict(out, *row.verdict) : append(out, kNoVerdict);
    append(out, kLineEnd);
}

/// RFC 4180, section 2.
void append_csv_text(Buffer& out, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return append(out, text);
    out.push_back('"');
    for (const char c : text) {
        if (c == '"') out.push_back(c);
        out.push_back(c);
    }
    out.push_back('"');
}

}  // namespace headgate
