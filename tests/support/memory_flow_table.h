// A flow table in memory that behaves like the kernel's, as far as FlowTable promises. The conformance cases
// (flow_table_conformance.h) hold both to the same.
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
    Result<void> remove(std::span<const FlowRow> rows, const EndingSink& ended) override;
    Result<void> insert(std::span<const Flow> flows) override;
    Result<TableUsage> usage() override;
    Result<bool> picks_up_tcp() override { return tcp_loose; }

    /// What is in it, in the order of insertion; tests may change it as traffic would.
    std::deque<Flow> flows;

    /// Deletes that fail, by the flow's id, with this errno.
    std::map<std::uint32_t, int> failing;

    bool tcp_loose = true;

    /// What a scan says of its way, one after the other.
    std::vector<std::string> plans = {"a walk through memory"};

    /// Called before a scan begins, and before rows are removed.
    std::function<void()> at_scan, at_removal;

    /// How many rows remove() was asked to end.
    std::uint64_t removals_asked = 0;

  private:
    std::uint32_t next_id_ = 1000;
};

}  // namespace headgate::testing
