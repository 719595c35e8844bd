// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>

#include "operations/flow_rows.h"

namespace headgate::testing {

/// A block of these flows, as a store has it; `first`: the number of the first.
inline PackedFlows packed(std::uint64_t first, std::span<const FlowRow> flows) {
    operations::FlowBlock block;
    for (const auto& each : flows)
        block.add(each);
    return {first, block.count(), block.rows(), block.has_outcomes() ? block.outcomes() : PackedBytes{}};
}

}  // namespace headgate::testing
