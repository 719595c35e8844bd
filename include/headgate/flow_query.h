// A flow query: the whole scope of an operation, and the judgement of one flow against it.
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

inline constexpr std::size_t kMaxFilters = 20;  ///< per operation, as AWS Network Firewall documents it

/// Which of a flow's addresses the filters look at.
enum class MatchSide : std::uint8_t { Original, Translated, Any };
template <>
inline constexpr auto kNames<MatchSide> = name_list("original", "translated", "any");

/// Whether a filter's source and destination may also be exchanged.
enum class MatchDirection : std::uint8_t { AsGiven, Both };

/// Which states are wanted. Active: every one but closed.
enum class StateScope : std::uint8_t { Active, New, Established, Closed, Any };
template <>
inline constexpr auto kNames<StateScope> = name_list("ACTIVE", "NEW", "ESTABLISHED", "CLOSED", "ANY");

struct MarkMatch {
    std::uint32_t value = 0;
    std::uint32_t mask = 0xFFFFFFFF;

    friend bool operator==(const MarkMatch&, const MarkMatch&) = default;
};

struct FlowQuery {
    std::vector<FlowFilter> filters;  ///< 1 to kMaxFilters; a flow matches when one of them does
    MatchSide side = MatchSide::Original;
    MatchDirection direction = MatchDirection::AsGiven;
    std::optional<StateScope> states;  ///< absent: whatever the state
    std::optional<MarkMatch> mark;
    std::optional<std::uint16_t> zone;
    std::optional<std::uint64_t> minimum_bytes;  ///< over both directions
    std::chrono::seconds minimum_age{0};

    friend bool operator==(const FlowQuery&, const FlowQuery&) = default;
};

/// Number of filters and ranges. Every face calls it before an operation begins.
[[nodiscard]] Result<FlowQuery> validated(FlowQuery query);

[[nodiscard]] std::string to_string(const MarkMatch& mark);               ///< `0x5/0xff`, or `0x5` with a full mask
[[nodiscard]] Result<MarkMatch> parse_mark_match(std::string_view text);  ///< decimal or 0x...; VALUE or VALUE/MASK

/// Why a flow is in or out.
enum class Verdict : std::uint8_t {
    Match,
    NoMatch,
    Closed,        ///< it fits, but active flows are wanted
    AgeUnknown,    ///< it fits as far as can be told, but its age is not known
    BytesUnknown,  ///< likewise, but the kernel did not count its bytes
};

/// Whether one of the filters matches these tuples. The cheap part: no allocation, asked first and for every row.
[[nodiscard]] bool matches_filters(const FlowQuery& query, const FlowTuple& original, const FlowTuple& reply) noexcept;

/// The whole judgement.
[[nodiscard]] Verdict judge(const FlowQuery& query, const Flow& flow, const Moment& moment) noexcept;

}  // namespace headgate
