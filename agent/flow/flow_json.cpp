// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/flow_json.h"

#include <fmt/chrono.h>
#include <fmt/compile.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <system_error>

#include "base/printable.h"
#include "base/text.h"
#include "flow/json_members.h"

namespace headgate {
namespace {

using Buffer = fmt::memory_buffer;

void append_text(Buffer& out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
}

template <typename Format, typename... Args>
void append_formatted(Buffer& out, const Format& format, const Args&... args) {
    fmt::format_to(std::back_inserter(out), format, args...);
}

void append_address(Buffer& out, std::string_view key, const Address& address) {
    std::array<char, kAddressText> text{};
    const std::size_t length = write_address(text, address);
    append_formatted(out, FMT_COMPILE("\"{}\":\"{}\""), key, std::string_view{text.data(), length});
}

void append_endpoints(Buffer& out, const FlowTuple& tuple) {
    append_address(out, "source", tuple.source);
    if (has_ports(tuple)) append_formatted(out, FMT_COMPILE(",\"source_port\":{}"), tuple.source_port);
    append_text(out, ",");
    append_address(out, "destination", tuple.destination);
    if (has_ports(tuple)) {
        append_formatted(out, FMT_COMPILE(",\"destination_port\":{}"), tuple.destination_port);
    } else if (is_icmp(tuple.protocol)) {
        append_formatted(out, FMT_COMPILE(",\"icmp_type\":{},\"icmp_code\":{},\"icmp_id\":{}"), tuple.icmp_type,
                         tuple.icmp_code, tuple.icmp_id);
    } else if (tuple.protocol == Protocol::Gre) {
        append_formatted(out, FMT_COMPILE(",\"source_key\":{},\"destination_key\":{}"), tuple.source_port,
                         tuple.destination_port);
    }
}

void append_states(Buffer& out, const Flow& flow) {
    append_formatted(out, FMT_COMPILE(",\"state\":\"{}\""), to_string(state(flow)));
    if (const auto name = protocol_state_name(flow)) {
        append_formatted(out, FMT_COMPILE(",\"protocol_state\":\"{}\""), *name);
    }
    append_text(out, ",\"status\":[");
    bool first = true;
    for (unsigned bit = 0; bit < kStatusBits; ++bit) {
        if ((flow.status >> bit & 1U) == 0) continue;
        append_text(out, first ? "\"" : ",\"");
        append_text(out, status_name(bit));
        append_text(out, "\"");
        first = false;
    }
    append_text(out, "]");
}

void append_numbers(Buffer& out, const Flow& flow, const Moment& moment) {
    if (flow.started) {
        append_text(out, ",\"started_at\":\"");
        append_start_time(out, *flow.started);
        append_text(out, "\"");
    }
    if (const auto seconds = age(flow, moment))
        append_formatted(out, FMT_COMPILE(",\"age_seconds\":{}"), seconds->count());
    if (flow.timeout) append_formatted(out, FMT_COMPILE(",\"timeout_seconds\":{}"), flow.timeout->count());
    if (const auto& count = flow.counters_original) {
        append_formatted(out, FMT_COMPILE(",\"packets\":{},\"bytes\":{}"), count->packets, count->bytes);
    }
    if (const auto& count = flow.counters_reply) {
        append_formatted(out, FMT_COMPILE(",\"packets_reply\":{},\"bytes_reply\":{}"), count->packets, count->bytes);
    }
    if (flow.mark) append_formatted(out, FMT_COMPILE(",\"mark\":{}"), *flow.mark);
    append_formatted(out, FMT_COMPILE(",\"zone\":{}"), flow.zone);
    if (flow.zone_direction != ZoneDirection::Both) {
        append_formatted(out, FMT_COMPILE(",\"zone_direction\":\"{}\""), to_string(flow.zone_direction));
    }
}

void append_rule(JsonMembers& members, const RuleReference& rule) {
    members.text("family", rule.family);
    members.text("table", rule.table);
    members.text("chain", rule.chain);
    if (rule.handle) members.number("handle", *rule.handle);
    members.text("text", rule.text);
}

void append_verdict(Buffer& out, const FlowVerdict& verdict) {
    JsonMembers row{out, JsonMembers::Place::Later};
    row.object("verdict", [&](JsonMembers& members) {
        members.text("result", to_string(verdict.result));
        if (verdict.kind) members.text("kind", to_string(*verdict.kind));
        if (verdict.rule) members.object("rule", [&](JsonMembers& rule) { append_rule(rule, *verdict.rule); });
        if (!verdict.assumes.empty()) members.texts("assumes", verdict.assumes);
        if (const auto& then = verdict.then) {
            members.object("then", [&](JsonMembers& tuple) {
                tuple.text("source", to_string(then->source));
                tuple.text("destination", to_string(then->destination));
                if (then->destination_port != 0) tuple.number("destination_port", then->destination_port);
            });
        }
        if (!verdict.reason.empty()) members.text("reason", verdict.reason);
    });
}

}  // namespace

void append_flow_json(Buffer& out, const FlowRow& row, const Moment& moment) {
    const Flow& flow = row.flow;
    append_formatted(out, FMT_COMPILE("{{\"id\":{},\"family\":\"{}\",\"protocol\":\"{}\","), flow.id,
                     to_string(flow.original.source.family), to_string(flow.original.protocol));
    append_endpoints(out, flow.original);
    if (const FlowTuple after = translated(flow); after != flow.original) {
        append_text(out, ",\"translated\":{");
        append_endpoints(out, after);
        append_text(out, "}");
    }
    append_states(out, flow);
    append_numbers(out, flow, moment);
    if (row.outcome) append_formatted(out, FMT_COMPILE(",\"outcome\":\"{}\""), to_string(*row.outcome));
    if (row.error != 0) {
        append_text(out, ",\"error\":");
        append_json_string(out, std::generic_category().message(row.error));
    }
    if (row.verdict) append_verdict(out, *row.verdict);
    append_text(out, "}");
}

namespace {

/// Appends the first character of `text` and returns its size in bytes. Invisible characters are escaped, because
/// terminals interpret some of them as commands even within quotes; all of them are below U+10000.
std::size_t append_character(Buffer& out, std::string_view text) {
    const auto next = first_character(text);
    if (next.is_shown) {
        append_text(out, text.substr(0, next.size));
    } else if (next.code == kReplacement) {
        append_text(out, "\xEF\xBF\xBD");
    } else {
        append_formatted(out, FMT_COMPILE("\\u{:04x}"), static_cast<std::uint32_t>(next.code));
    }
    return next.size;
}

/// `Z`, `+02:00`, or `+0200` as in Suricata's records.
std::optional<std::chrono::minutes> parse_utc_offset(std::string_view text) {
    if (text == "Z") return std::chrono::minutes{0};
    const bool has_colon = text.size() == 6 && text[3] == ':';
    if (text.front() == 'Z' || (!has_colon && text.size() != 5)) return std::nullopt;
    const auto hours = parse_unsigned<unsigned>(text.substr(1, 2));
    const auto minutes = parse_unsigned<unsigned>(text.substr(text.size() - 2));
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const auto offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
    return text.front() == '-' ? -offset : offset;
}

}  // namespace

void append_json_string(Buffer& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        const char c = text.front();
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (c >= 0x20 && c < 0x7F) {
            out.push_back(c);
        } else {
            text.remove_prefix(append_character(out, text));
            continue;
        }
        text.remove_prefix(1);
    }
    out.push_back('"');
}

void append_without_hidden(Buffer& out, std::string_view json) {
    while (!json.empty())
        json.remove_prefix(append_character(out, json));
}

void append_start_time(Buffer& out, Timestamp started) {
    started = std::max(started, Timestamp::min() + std::chrono::days{1});  // a day whose midnight is representable
    const auto day = std::chrono::floor<std::chrono::days>(started);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{started - day};
    append_formatted(out, FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z"), static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

std::string to_rfc3339(Timestamp time) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                       (milliseconds - seconds).count());
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
    // 2026-11-21T09:30:00.123456789Z: digits at fixed positions, then an optional fraction of up to nine digits
    constexpr std::string_view kShape = "0000-00-00T00:00:00";
    const auto wrong = [&] { return invalid("\"{}\" is not a time such as 2026-11-21T09:30:00.123Z", text); };
    const auto number = [&](std::size_t at, std::size_t size) {
        return parse_unsigned<unsigned>(text.substr(at, size));
    };
    const auto zone = text.find_first_of("Z+-", kShape.size());
    const auto offset = zone == std::string_view::npos ? std::nullopt : parse_utc_offset(text.substr(zone));
    if (!offset) return wrong();
    for (std::size_t i = 0; i < kShape.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return wrong();
    }
    std::string fraction{text.substr(kShape.size(), zone - kShape.size())};
    if (!fraction.empty() && (fraction.front() != '.' || fraction.size() < 2 || fraction.size() > 10)) return wrong();
    fraction.resize(10, '0');
    const auto nanoseconds = parse_unsigned<std::uint32_t>(std::string_view{fraction}.substr(1));
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*number(0, 4))},
                                           std::chrono::month{*number(5, 2)}, std::chrono::day{*number(8, 2)}};
    const bool in_range = date.ok() && *number(11, 2) < 24 && *number(14, 2) < 60 && *number(17, 2) < 61;
    if (!in_range || !nanoseconds || static_cast<int>(date.year()) < 1970 || static_cast<int>(date.year()) > 2261) {
        return wrong();
    }
    return Timestamp{std::chrono::sys_days{date}} + std::chrono::hours{*number(11, 2)} +
           std::chrono::minutes{*number(14, 2)} + std::chrono::seconds{*number(17, 2)} +
           std::chrono::nanoseconds{*nanoseconds} - *offset;
}

}  // namespace headgate
