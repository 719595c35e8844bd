#include "gateway/ended_flows.h"

#include <algorithm>

#include "flowlog/record_format.h"

namespace headgate::gateway {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 250ms;

template <typename Values, typename Value>
bool lists(const Values& values, const Value& value) {
    return std::ranges::find(values, value) != values.end();
}

bool is_asked_for(const EndedFlow& ended, const EndedFlowQuery& query) {
    if (!query.reasons.empty() && !(ended.reason && lists(query.reasons, *ended.reason))) return false;
    if (query.firewalls && !lists(*query.firewalls, ended.endpoint->firewall)) return false;
    return query.filters.empty() ||
           std::ranges::any_of(query.filters, [&](const auto& each) { return each.matches(ended.flow.original); });
}

/// Of what was missed it is not known whether it would have been.
bool asks_for_all(const EndedFlowQuery& query) {
    return query.reasons.empty() && query.filters.empty() && !query.firewalls;
}

Result<void> take_lines(const flowlog::LineBlock& lines, const RecordSink& take) {
    for (std::size_t i = 0; i < lines.count(); ++i)
        if (auto taken = take(lines.line(i)); !taken) return taken;
    return {};
}

LostFlows missed(std::uint64_t count, Timestamp now) {
    return {nullptr, count, now, now,
            "they ended faster than they were read here, and are not remembered any more: the sinks have them"};
}

}  // namespace

Result<void> tell_ended(const flowlog::RecentEnds& recent, const EndedFlowQuery& query, const RecordSink& take) {
    const auto format = flowlog::make_format(config::FlowLogFormat::Eve);
    auto part = recent.from(0, 0ms);
    part.missed = 0;  // the past is told as far as it is remembered
    std::erase_if(part.flows, [&](const EndedFlow& each) { return !is_asked_for(each, query); });
    if (part.flows.size() > query.latest)
        part.flows.erase(part.flows.begin(), part.flows.end() - static_cast<std::ptrdiff_t>(query.latest));
    for (;;) {
        flowlog::LineBlock lines;
        if (part.missed != 0 && asks_for_all(query)) {
            format->append(lines, missed(part.missed, part.flows.front().ended_at));
        }
        for (const auto& each : part.flows)
            if (is_asked_for(each, query)) format->append(lines, each);
        if (auto taken = take_lines(lines, take); !taken) return taken;
        if (!query.follow || recent.is_closed() || query.is_over()) return {};
        part = recent.from(part.next, kPatience);
    }
}

}  // namespace headgate::gateway
