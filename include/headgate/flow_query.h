// SPDX-License-Identifier: GPL-2.0-or-later
// A flow query: the whole scope of an operation, and the decision whether a flow is in it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/flow.h"
#include "headgate/flow_filter.h"
#include "headgate/result.h"

namespace headgate {

inline constexpr std::size_t kMaxFilters = 20;  ///< per operation; documented limit of AWS Network Firewall

/// Which of a flow's addresses the filters apply to.
enum class MatchSide : std::uint8_t { Original, Translated, Any };
template <>
inline constexpr auto kNames<MatchSide> = name_list("original", "translated", "any");

/// Whether filters also match with source and destination exchanged.
enum class MatchDirection : std::uint8_t { AsGiven, Both };

/// The flow states in scope. Active: every state except closed.
enum class StateScope : std::uint8_t { Active, New, Established, Closed, Any };
template <>
inline constexpr auto kNames<StateScope> = name_list("ACTIVE", "NEW", "ESTABLISHED", "CLOSED", "ANY");

struct MarkMatch {
    std::uint32_t value = 0;
    std::uint32_t mask = 0xFFFFFFFF;

    friend bool operator==(const MarkMatch&, const MarkMatch&) = default;
};

struct FlowQuery {
    std::vector<FlowFilter> filters;  ///< 1 to kMaxFilters; a flow matches if one of them does
    MatchSide side = MatchSide::Original;
    MatchDirection direction = MatchDirection::AsGiven;
    std::optional<StateScope> states;  ///< absent: any state
    std::optional<MarkMatch> mark;
    std::optional<std::uint16_t> zone;
    std::optional<std::uint64_t> minimum_bytes;    ///< sum over both directions
    std::optional<std::uint64_t> minimum_packets;  ///< likewise
    std::chrono::seconds minimum_age{0};

    friend bool operator==(const FlowQuery&, const FlowQuery&) = default;
};

/// Checks the number of filters, each filter and the ranges. Every interface calls it before an operation begins.
[[nodiscard]] Result<FlowQuery> validated(FlowQuery query);

[[nodiscard]] std::string to_string(const MarkMatch& mark);               ///< `0x5/0xff`, or `0x5` with a full mask
[[nodiscard]] Result<MarkMatch> parse_mark_match(std::string_view text);  ///< decimal or 0x...; VALUE or VALUE/MASK

/// Whether a flow is in scope, and why not.
enum class Verdict : std::uint8_t {
    Match,
    NoMatch,
    Closed,        ///< matches, but only active flows are in scope
    AgeUnknown,    ///< matches as far as known, but its age is unknown
    BytesUnknown,  ///< likewise, but the kernel did not count its bytes and packets
};

/// Whether one of the filters can match a flow with this original tuple. Does not allocate; evaluated first, for every
/// row.
[[nodiscard]] bool may_match_filters(const FlowQuery& query, const FlowTuple& original) noexcept;

/// Whether one of the filters matches these tuples. Does not allocate.
[[nodiscard]] bool matches_filters(const FlowQuery& query, const FlowTuple& original, const FlowTuple& reply) noexcept;

/// A query for matches_filters(): flows of either direction, whether NAT has translated them or not.
[[nodiscard]] FlowQuery either_way(std::vector<FlowFilter> filters);

/// Evaluates the whole query.
[[nodiscard]] Verdict judge(const FlowQuery& query, const Flow& flow, const Moment& moment) noexcept;

}  // namespace headgate
