// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/ended_flow_filter.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "flow/flow_json.h"

namespace headgate::flowlog {
namespace {

/// How a flow ended, as known in memory or from its record.
struct End {
    std::optional<EndReason> reason;
    std::optional<Timestamp> time;
    std::string_view firewall;
    std::string_view operation_id;  ///< empty: no operation ended it
    std::string_view by;            ///< the user who requested that operation, or a program other than headgate
    std::optional<std::uint32_t> port_id{};  ///< of that program
};

template <typename Values, typename Value>
bool lists(const Values& values, const Value& value) {
    return std::ranges::find(values, value) != values.end();
}

bool matches_reason(const std::vector<EndReason>& reasons, const End& end) {
    if (reasons.empty() || (end.reason && lists(reasons, *end.reason))) return true;
    return !end.operation_id.empty() && lists(reasons, EndReason::Flushed);
}

bool matches_time(const EndedFlowFilter& filter, const std::optional<Timestamp>& time) {
    return (!filter.since || (time && *time >= *filter.since)) && (!filter.until || (time && *time <= *filter.until));
}

/// As the log shows a program whose name is not known: `port 2875465106`.
bool is_port(std::string_view text, std::uint32_t id) {
    constexpr std::string_view kPort = "port ";
    return text.starts_with(kPort) && parse_unsigned<std::uint32_t>(text.substr(kPort.size())) == id;
}

bool matches_by(const std::string& who, const End& end) {
    return end.reason == EndReason::Flushed && (end.by == who || (end.port_id && is_port(who, *end.port_id)));
}

bool matches_end(const EndedFlowFilter& filter, const End& end) {
    const bool by_them = !filter.user || matches_by(*filter.user, end);
    return matches_reason(filter.reasons, end) && matches_time(filter, end.time) && by_them &&
           (!filter.firewalls || lists(*filter.firewalls, end.firewall)) &&
           (!filter.operation_id || end.operation_id.starts_with(*filter.operation_id));
}

}  // namespace

bool EndedFlowFilter::matches(const EndedFlow& ended) const {
    End end{ended.reason, ended.ended_at, {}, {}, {}};
    if (ended.endpoint != nullptr) end.firewall = ended.endpoint->firewall;
    if (ended.flush != nullptr) end.operation_id = ended.flush->operation_id;
    if (ended.flush != nullptr) end.by = ended.flush->user;
    if (ended.foreign != nullptr) end.by = ended.foreign->process;
    if (ended.foreign != nullptr) end.port_id = ended.foreign->port_id;
    const auto has_it = [&](const FlowFilter& each) { return each.matches(ended.flow); };
    return matches_end(*this, end) && (filters.empty() || std::ranges::any_of(filters, has_it));
}

bool EndedFlowFilter::matches(const LoggedFlow& logged) const {
    const std::string_view by = logged.port_id ? logged.process : logged.user;
    End end{logged.reason, std::nullopt, logged.firewall, logged.operation_id, by, logged.port_id};
    if (since || until) {
        if (const auto time = parse_rfc3339(logged.ended_at)) end.time = *time;
    }
    const auto has_it = [&](const FlowFilter& each) { return each.matches(logged.tuple, logged.translated); };
    return matches_end(*this, end) && (filters.empty() || std::ranges::any_of(filters, has_it));
}

EndedFlowFilter filter_of(const config::FlowLog& settings) {
    EndedFlowFilter filter;
    filter.filters = settings.filters;
    for (const auto each : settings.reasons) {
        const auto reason = parse_name<EndReason>(to_string(each));
        if (reason) filter.reasons.push_back(*reason);
    }
    if (std::ranges::find(settings.reasons, config::FlowLogReason::All) != settings.reasons.end()) {
        filter.reasons.clear();
    }
    return filter;
}

}  // namespace headgate::flowlog
