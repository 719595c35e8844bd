// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/ended_flow_feed.h"

#include <algorithm>
#include <deque>
#include <limits>

#include "headgate/clock.h"

#include "flowlog/record_format.h"

namespace headgate::gateway {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 250ms;

/// Bytes of lines formatted at once, which bounds the memory per reader.
constexpr std::size_t kPiece = 16UL * 1024;

Result<void> pass_on(const flowlog::LineBlock& lines, const RecordSink& sink) {
    for (std::size_t i = 0; i < lines.count(); ++i)
        RETURN_IF_ERROR(sink(lines.line(i)));
    return {};
}

LostFlows missed(std::uint64_t count, Timestamp now) {
    return {nullptr, count, now, now,
            "the reader was too slow, and the agent does not remember them any more; its sinks have them"};
}

/// Position of the first of the `latest` selected flows before `end`.
std::uint64_t beginning_of_latest(const flowlog::RecentFlowBuffer& recent, const EndedFlowQuery& query,
                                  std::uint64_t end) {
    std::deque<std::uint64_t> latest;
    for (auto part = recent.from(0, 0ms); part.first < end; part = recent.from(part.next(), 0ms)) {
        for (std::size_t i = 0; i < part.flows.size(); ++i) {
            if (!query.matches(part.flows[i])) continue;
            latest.push_back(part.first + i);
            if (latest.size() > query.latest) latest.pop_front();
        }
    }
    return latest.empty() ? end : latest.front();
}

/// Formats one piece from `position` on, and returns the next position. Keeps no reference to the batch.
std::uint64_t append_piece(flowlog::LineBlock& lines, const flowlog::RecentFlowBuffer& recent, std::uint64_t position,
                           std::uint64_t end, const EndedFlowQuery& query) {
    const auto format = flowlog::make_format(config::FlowLogFormat::Eve);
    const auto part = recent.from(position, query.follow ? kPatience : 0ms);
    // Only if the query selects every flow, it is certain that missed ones concern it.
    if (part.missed != 0 && query.matches_everything()) {
        format->append(lines, missed(std::min(part.first, end) - position, part.flows.front().ended_at));
    }
    position = part.first;
    for (const auto& each : part.flows) {
        if (position >= end || lines.bytes() >= kPiece) break;
        if (query.matches(each)) format->append(lines, each);
        ++position;
    }
    return position;
}

}  // namespace

Result<void> EndedFlowFeed::for_each_ended(const EndedFlowQuery& query, const RecordSink& sink) {
    const auto end_of_past = recent_.end();
    const auto end = query.follow ? std::numeric_limits<std::uint64_t>::max() : end_of_past;
    for (auto position = beginning_of_latest(recent_, query, end_of_past);;) {
        const bool goes_on = query.follow && !query.ends_before(kSystemClock.now());
        const bool has_sent_all = position >= std::min(end, recent_.end());
        if (has_sent_all && (!goes_on || recent_.is_closed() || query.is_over())) return {};
        flowlog::LineBlock lines;
        position = append_piece(lines, recent_, position, end, query);
        RETURN_IF_ERROR(pass_on(lines, sink));
    }
}

}  // namespace headgate::gateway
