// SPDX-License-Identifier: GPL-2.0-or-later
// Fills a flow table.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "headgate/flow_table.h"

namespace headgate::testing {

/// Whether the table accepted all of these flows.
inline ::testing::AssertionResult inserted(FlowTable& table, std::span<const Flow> flows) {
    std::string refused;
    const auto done = table.insert(flows, [&](const Flow& flow, Insertion result, int error) {
        if (result == Insertion::Inserted) return;
        refused += fmt::format("{} from port {}: errno {}; ", to_string(flow.original.protocol),
                               flow.original.source_port, error);
    });
    if (!done) return ::testing::AssertionFailure() << done.error().message;
    return refused.empty() ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << refused;
}

}  // namespace headgate::testing
