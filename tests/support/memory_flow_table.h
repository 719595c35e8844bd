// SPDX-License-Identifier: GPL-2.0-or-later
// An in-memory flow table that behaves like the kernel's, as far as FlowTable specifies. Both pass the same conformance
// cases (flow_table_conformance.h).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "headgate/flow_table.h"

namespace headgate::testing {

class MemoryFlowTable : public FlowTable {
  public:
    Result<ScanReport> scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) override;
    Result<void> look_up(std::span<const FlowRow> rows, const PresenceSink& found) override;
    Result<void> remove(std::span<const FlowRow> rows, const Confirmation& confirm, const EndingSink& ended) override;
    Result<void> insert(std::span<const Flow> flows, const InsertionSink& told) override;
    Result<TableUsage> usage() override;
    Result<bool> tcp_loose() override { return is_loose; }

    /// The flows, in order of insertion; tests may modify them as traffic would.
    std::deque<Flow> flows;

    /// The errno with which deleting a flow fails, by the flow's id.
    std::map<std::uint32_t, int> failing;

    bool is_loose = true;

    /// The plans that a scan reports, in order.
    std::vector<std::string> plans = {"a walk through memory"};

    /// Called before a scan, and before rows are removed.
    std::function<void()> at_scan, at_removal;

    /// Called with each flow that was confirmed, before it ends.
    std::function<void(Flow&)> in_the_last_instant;

    /// The number of rows passed to remove().
    std::uint64_t removals_asked = 0;

  private:
    std::uint32_t next_id_ = 1000;
};

}  // namespace headgate::testing
