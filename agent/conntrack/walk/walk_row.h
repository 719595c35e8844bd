// SPDX-License-Identifier: GPL-2.0-or-later
// What the program reports about an entry of the hash. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "headgate/flow.h"

#include "conntrack/bpf/walk_memory.h"
#include "conntrack/scan_plan.h"

namespace headgate::conntrack {

/// A tuple's octets as the kernel has them: addresses, ports and ids in network byte order, the family in the host's.
using TupleOctets = std::array<std::uint8_t, sizeof(walk_tuple)>;

inline constexpr std::size_t kSourceOffset = 0;
inline constexpr std::size_t kSourcePortOffset = 16;
inline constexpr std::size_t kFamilyOffset = 18;
inline constexpr std::size_t kDestinationOffset = 20;
inline constexpr std::size_t kDestinationPortOffset = 36;
inline constexpr std::size_t kProtocolOffset = 38;

[[nodiscard]] TupleOctets octets_of(const walk_tuple& tuple) noexcept;
[[nodiscard]] walk_tuple tuple_of(const TupleOctets& octets) noexcept;
void put_family(TupleOctets& octets, Family family) noexcept;

/// What identifies the flow, and what filters are compared with. Absent if it is neither of IPv4 nor of IPv6.
[[nodiscard]] std::optional<Flow> decode_row(const walk_row& row) noexcept;

/// What it takes to read the rest of a row.
struct RowUnits {
    walk_seed seed{};
    std::uint64_t network_namespace = 0;  ///< its address
    std::uint32_t ticks_per_second = 1;   ///< of the kernel's clock (HZ)
};

/// Adds id, counters, timeout and SCTP's tags: all that conntrack reports, if the row is whole.
void complete(Flow& flow, const walk_row& row, const RowUnits& units) noexcept;

/// Whether the flow has nothing that rows do not have: no helper, and no labels.
[[nodiscard]] bool is_whole(const walk_row& row) noexcept;

/// By which conntrack finds the flow: a zone of the reply direction alone does not apply to the original tuple.
[[nodiscard]] Candidate candidate_of(const Flow& flow);

/// The first part of decode_row() that differs from what conntrack reports; empty if none does.
[[nodiscard]] std::string_view difference(const Flow& walked, const Flow& reported) noexcept;

/// Likewise of what complete() adds, except that packets may have come in between.
[[nodiscard]] std::string_view difference_in_rest(const Flow& walked, const Flow& reported) noexcept;

}  // namespace headgate::conntrack
