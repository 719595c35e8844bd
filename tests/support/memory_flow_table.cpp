// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_flow_table.h"

#include <algorithm>
#include <cerrno>

namespace headgate::testing {
namespace {

bool same_entry(const Flow& a, const Flow& b) {
    return a.original == b.original && a.zone == b.zone && a.zone_direction == b.zone_direction;
}

bool is_row(const Flow& flow, const FlowRow& row) {
    return same_entry(flow, row.flow) && is_same_flow(row.flow, flow);
}

}  // namespace

Result<ScanReport> MemoryFlowTable::scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) {
    for (const auto& plan : plans)
        listener.planned(plan);
    if (at_scan) at_scan();
    ScanReport report{.empty_table = flows.empty()};
    for (const auto& flow : flows) {
        ++report.scanned;
        const Verdict verdict = judge(query, flow, moment);
        if (verdict == Verdict::Closed) ++report.closed;
        if (verdict == Verdict::AgeUnknown) ++report.age_unknown;
        if (verdict == Verdict::BytesUnknown) ++report.bytes_unknown;
        if (verdict != Verdict::Match) continue;
        ++report.matched;
        const FlowRow row{flow, {}};
        if (auto told = listener.matched({&row, 1}); !told) return tl::unexpected(std::move(told.error()));
        if (auto go_on = listener.progressed(report.scanned); !go_on) return tl::unexpected(std::move(go_on.error()));
    }
    return report;
}

Result<void> MemoryFlowTable::look_up(std::span<const FlowRow> rows, const PresenceSink& found) {
    for (const auto& row : rows) {
        const auto entry = std::ranges::find_if(flows, [&](const Flow& flow) { return is_row(flow, row); });
        if (entry == flows.end()) {
            found(row.flow, Presence::Gone);
        } else {
            found(*entry, Presence::There);
        }
    }
    return {};
}

Result<void> MemoryFlowTable::remove(std::span<const FlowRow> rows, const Confirmation& confirm,
                                     const EndingSink& ended) {
    if (at_removal) at_removal();
    for (const auto& row : rows) {
        ++removals_asked;
        const auto found = std::ranges::find_if(flows, [&](const Flow& flow) { return is_row(flow, row); });
        if (found == flows.end()) {
            ended({row.flow, Outcome::Gone, 0});
        } else if (!confirm(*found)) {
            ended({*found, Outcome::Gone, 0});
        } else if (const auto failure = failing.find(row.flow.id); failure != failing.end()) {
            ended({row.flow, Outcome::Failed, failure->second});
        } else {
            if (in_the_last_instant) in_the_last_instant(*found);
            const Flow last = *found;
            flows.erase(found);
            ended({last, Outcome::Flushed, 0});
        }
    }
    return {};
}

Result<void> MemoryFlowTable::insert(std::span<const Flow> added, const InsertionSink& told) {
    for (const auto& flow : added) {
        const bool there = std::ranges::any_of(flows, [&](const Flow& other) { return same_entry(flow, other); });
        if (there) {
            told(flow, Insertion::Exists, EEXIST);
            continue;
        }
        flows.push_back(flow);
        flows.back().id = next_id_++;
        told(flow, Insertion::Inserted, 0);
    }
    return {};
}

Result<TableUsage> MemoryFlowTable::usage() {
    return TableUsage{flows.size(), 0, 1};
}

}  // namespace headgate::testing
