// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/flow_query.h"

#include <algorithm>

#include "base/text.h"

namespace headgate {
namespace {

bool any_filter_matches(const FlowQuery& query, const FlowTuple& tuple, const FlowTuple& translated) noexcept {
    return std::ranges::any_of(query.filters, [&](const FlowFilter& filter) {
        return filter.matches(tuple, translated) ||
               (query.direction == MatchDirection::Both && filter.matches(swapped(tuple), swapped(translated)));
    });
}

bool state_fits(std::optional<StateScope> scope, FlowState state) noexcept {
    if (!scope) return true;
    switch (*scope) {
        case StateScope::Active:
            return state != FlowState::Closed;
        case StateScope::New:
            return state == FlowState::New;
        case StateScope::Established:
            return state == FlowState::Established;
        case StateScope::Closed:
            return state == FlowState::Closed;
        case StateScope::Any:
            return true;
    }
    return false;
}

bool mark_fits(const std::optional<MarkMatch>& wanted, std::optional<std::uint32_t> mark) noexcept {
    return !wanted || (mark.value_or(0) & wanted->mask) == wanted->value;
}

/// The kernel counts either both bytes and packets or neither.
Verdict judge_counters(const FlowQuery& query, const Flow& flow) noexcept {
    const auto total = total_counters(flow);
    if (!total) return Verdict::BytesUnknown;
    const bool enough =
        total->bytes >= query.minimum_bytes.value_or(0) && total->packets >= query.minimum_packets.value_or(0);
    return enough ? Verdict::Match : Verdict::NoMatch;
}

Verdict judge_age(std::chrono::seconds minimum, const Flow& flow, const Moment& moment) noexcept {
    if (const auto known = age(flow, moment)) return *known >= minimum ? Verdict::Match : Verdict::NoMatch;
    const bool is_older_than_time_stamps = !flow.started && moment.timestamps_for >= minimum;
    return is_older_than_time_stamps ? Verdict::Match : Verdict::AgeUnknown;
}

Result<std::uint32_t> parse_mark_number(std::string_view text) {
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    const auto number = parse_unsigned<std::uint32_t>(hexadecimal ? text.substr(2) : text, hexadecimal ? 16 : 10);
    if (!number) return invalid("\"{}\" is not a 32-bit number, decimal or 0x...", text);
    return *number;
}

}  // namespace

Result<FlowQuery> validated(FlowQuery query) {
    if (query.filters.empty()) return invalid("no filter: name the flows, or say --all to mean every one");
    if (query.filters.size() > kMaxFilters) {
        return invalid("{} filters; an operation takes {} at most", query.filters.size(), kMaxFilters);
    }
    if (query.minimum_age < std::chrono::seconds{0}) return invalid("the minimum age is negative");
    for (auto& filter : query.filters) {
        ASSIGN_OR_RETURN(auto checked, validated(std::move(filter)));
        filter = std::move(checked);
    }
    return query;
}

std::string to_string(const MarkMatch& mark) {
    return mark.mask == 0xFFFFFFFF ? fmt::format("{:#x}", mark.value)
                                   : fmt::format("{:#x}/{:#x}", mark.value, mark.mask);
}

Result<MarkMatch> parse_mark_match(std::string_view text) {
    const auto slash = text.find('/');
    ASSIGN_OR_RETURN(auto value, parse_mark_number(text.substr(0, slash)));
    if (slash == std::string_view::npos) return MarkMatch{value};
    ASSIGN_OR_RETURN(auto mask, parse_mark_number(text.substr(slash + 1)));
    if ((value & ~mask) != 0) return invalid("{:#x} has bits outside the mask {:#x}: no mark can match", value, mask);
    return MarkMatch{value, mask};
}

bool may_match_filters(const FlowQuery& query, const FlowTuple& original) noexcept {
    if (query.side != MatchSide::Original) return true;
    return std::ranges::any_of(query.filters, [&](const FlowFilter& filter) {
        return filter.may_match(original) ||
               (query.direction == MatchDirection::Both && filter.may_match(swapped(original)));
    });
}

bool matches_filters(const FlowQuery& query, const FlowTuple& original, const FlowTuple& reply) noexcept {
    // Equals translated() except for the ICMP type and code, which no filter evaluates.
    const auto translated = swapped(reply);
    const bool as_original = query.side != MatchSide::Translated && any_filter_matches(query, original, translated);
    return as_original || (query.side != MatchSide::Original && any_filter_matches(query, translated, translated));
}

FlowQuery either_way(std::vector<FlowFilter> filters) {
    FlowQuery query;
    query.filters = std::move(filters);
    query.side = MatchSide::Any;
    query.direction = MatchDirection::Both;
    return query;
}

Verdict judge(const FlowQuery& query, const Flow& flow, const Moment& moment) noexcept {
    if (!matches_filters(query, flow.original, flow.reply)) return Verdict::NoMatch;
    const bool is_left_out = query.states == StateScope::Active && state(flow) == FlowState::Closed;
    if (!is_left_out && !state_fits(query.states, state(flow))) return Verdict::NoMatch;
    if (query.zone && *query.zone != flow.zone) return Verdict::NoMatch;
    if (!mark_fits(query.mark, flow.mark)) return Verdict::NoMatch;
    Verdict verdict = Verdict::Match;
    if (query.minimum_bytes || query.minimum_packets) verdict = judge_counters(query, flow);
    if (verdict != Verdict::NoMatch && query.minimum_age > std::chrono::seconds{0}) {
        const Verdict by_age = judge_age(query.minimum_age, flow, moment);
        if (by_age != Verdict::Match) verdict = by_age;
    }
    if (is_left_out) return verdict == Verdict::Match ? Verdict::Closed : Verdict::NoMatch;
    return verdict;
}

}  // namespace headgate
