// SPDX-License-Identifier: GPL-2.0-or-later
// Collects the rows and plans that a scan reports.
#pragma once

#include <string>
#include <vector>

#include "headgate/flow_table.h"

namespace headgate::testing {

class ScanCollector final : public ScanListener {
  public:
    void planned(std::string_view plan) override { plans.emplace_back(plan); }
    Result<void> matched(std::span<const FlowRow> more) override {
        rows.insert(rows.end(), more.begin(), more.end());
        if (after_block) return after_block();
        return {};
    }

    std::vector<FlowRow> rows;
    std::vector<std::string> plans;
    std::function<Result<void>()> after_block;
};

}  // namespace headgate::testing
