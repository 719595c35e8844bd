// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/ended_flow_filter.h"

#include <algorithm>
#include <string_view>

#include "flow/flow_json.h"

namespace headgate::flowlog {
namespace {

/// How a flow ended, as known in memory or from its record.
struct End {
    std::optional<EndReason> reason;
    std::optional<Timestamp> time;
    std::string_view firewall;
    std::string_view operation_id;  ///< empty: no operation ended it
    std::string_view user;
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

bool matches_end(const EndedFlowFilter& filter, const End& end) {
    const bool by_user = !filter.user || (end.reason == EndReason::Flushed && end.user == *filter.user);
    return matches_reason(filter.reasons, end) && matches_time(filter, end.time) && by_user &&
           (!filter.firewalls || lists(*filter.firewalls, end.firewall)) &&
           (!filter.operation_id || end.operation_id.starts_with(*filter.operation_id));
}

}  // namespace

bool EndedFlowFilter::matches(const EndedFlow& ended) const {
    End end{ended.reason, ended.ended_at, {}, {}, {}};
    if (ended.endpoint != nullptr) end.firewall = ended.endpoint->firewall;
    if (ended.flush != nullptr) end.operation_id = ended.flush->operation_id;
    if (ended.flush != nullptr) end.user = ended.flush->user;
    const auto has_it = [&](const FlowFilter& each) { return each.matches(ended.flow); };
    return matches_end(*this, end) && (filters.empty() || std::ranges::any_of(filters, has_it));
}

bool EndedFlowFilter::matches(const LoggedFlow& logged) const {
    End end{logged.reason, std::nullopt, logged.firewall, logged.operation_id, logged.user};
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
