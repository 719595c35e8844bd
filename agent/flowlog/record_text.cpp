// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/record_text.h"

#include <fmt/compile.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/text.h"
#include "flow/json_members.h"

namespace headgate::flowlog {
namespace {

/// `name` ends with the opening quotation mark; `text` needs no escaping.
void append_quoted(LineText& out, std::string_view name, std::string_view text) {
    out.append(name);
    out.append(text);
    out.push_back('"');
}

void append_address(LineText& out, std::string_view name, const Address& address) {
    out.append(name);
    out.advance(write_address(std::span<char, kAddressText>{out.room(kAddressText), kAddressText}, address));
    out.push_back('"');
}

void write_two_digits(char* text, unsigned number) {
    text[0] = static_cast<char>('0' + number / 10);
    text[1] = static_cast<char>('0' + number % 10);
}

void append_lower(LineText& out, std::string_view text) {
    for (const char c : text)
        out.push_back(to_lower(c));
}

/// The text before the name of the protocol's state.
std::string_view state_object_of(Protocol protocol) {
    switch (protocol) {
        case Protocol::Tcp:
            return R"(,"tcp":{"state":")";
        case Protocol::Sctp:
            return R"(,"sctp":{"state":")";
        case Protocol::Dccp:
            return R"(,"dccp":{"state":")";
        default:
            return {};
    }
}

bool same_ends(const FlowTuple& a, const FlowTuple& b) {
    return a.source == b.source && a.destination == b.destination &&
           (!has_ports(a) || (a.source_port == b.source_port && a.destination_port == b.destination_port));
}

/// Unknown values are empty, and are omitted.
void append_known(JsonMembers& members, std::string_view name, std::string_view value) {
    if (!value.empty()) members.text(name, value);
}

void append_names(JsonMembers& members, const Endpoint* endpoint) {
    if (endpoint == nullptr) return;
    append_known(members, "firewall", endpoint->firewall);
    append_known(members, "availability_zone", endpoint->availability_zone);
}

std::string to_text(TimeText& times, Timestamp time) {
    Buffer text;
    {
        LineText line{text};
        times.append_to(line, time);
    }
    return fmt::to_string(text);
}

}  // namespace

void TimeText::append_to(LineText& out, Timestamp time) {
    using namespace std::chrono;
    time = std::max(time, Timestamp::min() + days{1});  // a day whose midnight is representable
    const auto day = floor<days>(time);
    if (day != day_) {
        const year_month_day date{day};
        fmt::format_to_n(date_.data(), date_.size(), FMT_COMPILE("{:04}-{:02}-{:02}T"), static_cast<int>(date.year()),
                         static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
        day_ = day;
    }
    const auto since_midnight = floor<microseconds>(time - day);
    const auto second = static_cast<unsigned>(floor<seconds>(since_midnight).count());
    const auto fraction = static_cast<unsigned>((since_midnight % seconds{1}).count());
    out.append({date_.data(), date_.size()});
    constexpr std::string_view kShape = "00:00:00.000000+0000";
    char* const text = out.room(kShape.size());
    std::memcpy(text, kShape.data(), kShape.size());
    write_two_digits(text, second / 3600);
    write_two_digits(text + 3, second / 60 % 60);
    write_two_digits(text + 6, second % 60);
    write_two_digits(text + 9, fraction / 10'000);
    write_two_digits(text + 11, fraction / 100 % 100);
    write_two_digits(text + 13, fraction % 100);
    out.advance(kShape.size());
}

void LifeText::append_to(LineText& out, const EndedFlow& ended) {
    if (ended.flow.started) {
        out.append(R"("start":")");
        starts_.append_to(out, *ended.flow.started);
        out.append(R"(",)");
    }
    out.append(R"("end":")");
    append_end(out, ended);
    out.push_back('"');
    if (const auto lived = age(ended.flow, {.now = ended.ended_at, .up = ended.machine_up}))
        out.append(R"(,"age":)", lived->count());
    const auto state = last_state(ended.flow);
    if (state) {
        out.append(R"(,"state":")");
        append_lower(out, to_string(*state));
        out.push_back('"');
    }
    if (ended.reason) append_quoted(out, R"(,"reason":")", to_string(*ended.reason));
    if (state) append_quoted(out, R"(,"last_state":")", to_string(*state));
}

std::uint64_t flow_id(const Flow& flow) {
    if (!flow.started) return flow.id;
    // With 100,000 flows starting per second, two are likely to have the same 32-bit id.
    constexpr std::uint64_t kBits = (1U << 21U) - 1;
    const auto microsecond = std::chrono::floor<std::chrono::microseconds>(*flow.started).time_since_epoch().count();
    return (static_cast<std::uint64_t>(microsecond) & kBits) << 32U | flow.id;
}

void append_ends(LineText& out, const FlowTuple& tuple) {
    const bool ports = has_ports(tuple);
    append_address(out, R"("src_ip":")", tuple.source);
    if (ports) out.append(R"(,"src_port":)", tuple.source_port);
    append_address(out, R"(,"dest_ip":")", tuple.destination);
    if (ports) out.append(R"(,"dest_port":)", tuple.destination_port);
}

void append_tuple(LineText& out, const FlowTuple& tuple) {
    append_ends(out, tuple);
    append_quoted(out, R"(,"proto":")", eve_name(tuple.protocol));
    if (is_icmp(tuple.protocol)) {
        out.append(R"(,"icmp_type":)", tuple.icmp_type);
        out.append(R"(,"icmp_code":)", tuple.icmp_code);
    }
    out.append(tuple.source.family == Family::Ipv4 ? R"(,"ip_v":4)" : R"(,"ip_v":6)");
}

void append_community_id(LineText& out, std::string_view id) {
    if (!id.empty()) append_quoted(out, R"(,"community_id":")", id);
}

void append_protocol_state(LineText& out, const Flow& flow) {
    const auto name = protocol_state_name(flow);
    if (!name) return;
    out.append(state_object_of(flow.original.protocol));
    append_lower(out, *name);
    out.append(R"("})");
}

void append_nat(LineText& out, const FlowTuple& before, const FlowTuple& after) {
    if (same_ends(before, after)) return;
    out.append(R"(,"nat":{)");
    append_ends(out, after);
    out.push_back('}');
}

void append_mark_and_zone(LineText& out, const Flow& flow) {
    if (flow.mark) out.append(R"(,"mark":)", *flow.mark);
    if (flow.zone != 0) out.append(R"(,"zone":)", flow.zone);
}

void Provenance::append_to(LineText& out, const EndedFlow& ended) {
    const bool flushed = ended.reason == EndReason::Flushed;
    if (ended.endpoint != endpoint_ || ended.flush != flush_ || ended.foreign != foreign_ || flushed != flushed_) {
        endpoint_ = ended.endpoint;
        flush_ = ended.flush;
        foreign_ = ended.foreign;
        flushed_ = flushed;
        compose(ended);
    }
    out.append({text_.data(), text_.size()});
}

void Provenance::compose(const EndedFlow& ended) {
    constexpr std::string_view kBegin = R"(,"headgate":{)";
    text_.clear();
    text_.append(kBegin);
    JsonMembers members{text_};
    append_names(members, ended.endpoint.get());
    if (ended.flush != nullptr) {
        append_known(members, "operation_id", ended.flush->operation_id);
        // If an operation lost track of a flow, it is unknown whether the operation ended it.
        if (flushed_) {
            append_known(members, "user", ended.flush->user);
            append_known(members, "stream_exception_policy", ended.flush->stream_exception_policy);
        }
    }
    if (ended.foreign != nullptr) {
        members.object("flushed_by", [&](JsonMembers& foreign) {
            foreign.number("port_id", ended.foreign->port_id);
            append_known(foreign, "process", ended.foreign->process);
        });
    }
    if (text_.size() == kBegin.size()) return text_.clear();
    text_.push_back('}');
}

void LifeText::append_loss(Buffer& out, const LostFlows& lost) {
    const auto since = to_text(ends_, lost.since);
    const auto until = to_text(ends_, lost.until);
    JsonMembers members{out};
    members.text("timestamp", until);
    members.text("event_type", "engine");
    members.object("engine", [&](JsonMembers& engine) {
        engine.text("module", "flow-log");
        engine.text("message", fmt::format("{} ended between {} and {} without a record: {}",
                                           lost.count == 1 ? "1 flow" : fmt::format("{} flows", lost.count), since,
                                           until, lost.cause));
    });
    members.object("headgate", [&](JsonMembers& origin) {
        append_names(origin, lost.endpoint.get());
        origin.object("lost", [&](JsonMembers& loss) {
            loss.number("count", lost.count);
            loss.text("since", since);
            loss.text("until", until);
            loss.text("cause", lost.cause);
        });
    });
}

}  // namespace headgate::flowlog
