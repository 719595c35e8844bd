// SPDX-License-Identifier: GPL-2.0-or-later
// A quarantine in nftables syntax: a table of its own, so that neither a stream exception policy nor its removal
// touches it. Pure functions: values in, text out.
//
// The elements of an interval map must not overlap (nft_set_rbtree.c, __nft_rbtree_insert), but entries may. So there
// are layers, a map per layer and family, and an entry is in the first layer in which it overlaps none. An entry is one
// element with its own timeout and counter, and adding or removing it changes no other.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarantine/quarantine_state.h"

namespace headgate::quarantine {

inline constexpr std::string_view kTable = "headgate_quarantine";  ///< of family inet

/// The first layer in which the prefix overlaps none of the entries.
[[nodiscard]] unsigned free_layer(std::span<const KeptEntry> entries, const Prefix& prefix);

/// One more than the highest layer.
[[nodiscard]] unsigned layers_of(std::span<const KeptEntry> entries);

/// `ipv4_0`, `ipv6_0`, ...
[[nodiscard]] std::string map_name(Family family, unsigned layer);

/// Deletes the table, if there is one.
[[nodiscard]] std::string deletion_text();

/// Replaces the table, if there is one, by one with these entries, which have not ended at `now`.
[[nodiscard]] std::string table_text(std::span<const KeptEntry> entries, std::chrono::nanoseconds now);

/// Adds a layer to the table: its maps, and the rules that look up in them.
[[nodiscard]] std::string layer_text(unsigned layer);

[[nodiscard]] std::string addition_text(std::span<const KeptEntry> entries, std::chrono::nanoseconds now);
[[nodiscard]] std::string removal_text(std::span<const KeptEntry> entries);

}  // namespace headgate::quarantine
