// SPDX-License-Identifier: GPL-2.0-or-later
// Ends flows of a table.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "headgate/flow_table.h"

namespace headgate::testing {

/// Whatever has become of a flow.
inline bool unconditionally(const Flow& /*flow*/) {
    return true;
}

/// The endings of these flows, in order.
inline std::vector<FlowRow> removed(FlowTable& table, std::span<const FlowRow> rows,
                                    const Confirmation& confirm = unconditionally) {
    std::vector<FlowRow> endings;
    const auto done = table.remove(rows, confirm, [&](const FlowRow& each) { endings.push_back(each); });
    EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().message);
    return endings;
}

}  // namespace headgate::testing
