// SPDX-License-Identifier: GPL-2.0-or-later
// Ids of flows, calculated as conntrack does: by SipHash, with a secret seed, from an entry's addresses and its
// original tuple (nf_conntrack_core.c, nf_ct_get_id). Pure.
#pragma once

#include <cstdint>
#include <span>

#include "conntrack/bpf/walk_memory.h"

namespace headgate::conntrack {

/// SipHash-2-4 of whole words (lib/siphash.c).
[[nodiscard]] std::uint64_t sip_hash(std::span<const __u64> words, const walk_seed& seed) noexcept;

/// Flow::id of the row's entry, which is in this network namespace.
[[nodiscard]] std::uint32_t flow_id(const walk_row& row, std::uint64_t network_namespace,
                                    const walk_seed& seed) noexcept;

}  // namespace headgate::conntrack
