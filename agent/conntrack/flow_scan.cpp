// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/flow_scan.h"

#include <sys/utsname.h>

#include <algorithm>

#include "conntrack/dump_source.h"
#include "conntrack/lookup_source.h"
#include "conntrack/row_matcher.h"
#include "conntrack/scan_plan.h"

namespace headgate::conntrack {
namespace {

/// Resizes are rare. A table that is resized all the time is a misconfiguration, and no scan of it can be complete.
constexpr unsigned kMostRestarts = 5;

/// The largest distance, in rows, of a repeated row: the longest chain to expect, many times the mean because chain
/// lengths are Poisson distributed, plus the rows that another concurrent dump has reported meanwhile, or those of
/// other chains that a walk has found.
std::size_t repetition_window(const TableUsage& usage) {
    constexpr std::size_t kBesideTheChain = WALK_MOST_ROWS;
    return kBesideTheChain + 16 * usage.in_use / std::max<std::uint64_t>(usage.buckets, 1);
}

KernelVersion running_kernel() {
    utsname name{};
    return ::uname(&name) == 0 ? parse_kernel_version(name.release) : KernelVersion{};
}

TableFacts facts_of(const TableUsage& usage, const HashWalk* walk) {
    TableFacts facts{running_kernel(), usage.in_use, usage.in_use};
    if (walk == nullptr) return facts;
    facts.walks_from = walk->walks_from();
    facts.may_trust_rows = walk->may_trust_rows();
    if (facts.walks_from) facts.entries_of_host = std::max(usage.in_use, entries_of_host());
    return facts;
}

/// Until a pass is complete, or the source turns out to be unsuitable.
Result<Pass> read_until_complete(ScanSource& source, RowMatcher& rows, ScanListener& listener) {
    for (unsigned restarts = 0; restarts <= kMostRestarts; ++restarts) {
        if (restarts > 0) rows.restart();
        ASSIGN_OR_RETURN(const auto pass, source.read(rows));
        if (pass != Pass::Resized) return pass;
        listener.planned("the table was resized during the scan, which may have lost rows: once more");
    }
    return failed(
        "the conntrack table was resized {} times during the scan: no complete answer is possible; "
        "find out who writes nf_conntrack_buckets",
        kMostRestarts + 1);
}

Result<void> dump(const ScannedTable& table, const ScanPlan& plan, RowMatcher& rows, ScanListener& listener) {
    ASSIGN_OR_RETURN(auto dumps, confirm_dumps(table.open_socket, plan, listener));
    DumpSource source{table.open_socket, table.sysctls, std::move(dumps)};
    return read_until_complete(source, rows, listener).map([](Pass) {});
}

}  // namespace

Result<ScanReport> run_scan(const ScannedTable& table, HashWalk* walk, const FlowQuery& query, const Moment& moment,
                            ScanListener& listener) {
    ASSIGN_OR_RETURN(const auto usage, table.sysctls.usage());
    const ScanPlan plan = plan_scan(query, facts_of(usage, walk));
    listener.planned(describe(plan));
    RowMatcher rows{query, moment, listener, repetition_window(usage)};
    auto pass = Pass::Unsuitable;
    if (plan.method != ScanPlan::Method::Dump) {
        auto candidates = plan.method == ScanPlan::Method::Lookup ? walk_of(plan.lookups)
                                                                  : walk->candidates(table, query, moment, listener);
        LookupSource source{table.open_socket, std::move(candidates)};
        ASSIGN_OR_RETURN(pass, read_until_complete(source, rows, listener));
        if (pass == Pass::Unsuitable) rows.start_over();
    }
    if (pass == Pass::Unsuitable) RETURN_IF_ERROR(dump(table, plan, rows, listener));
    RETURN_IF_ERROR(rows.flush());
    auto report = rows.report();
    report.empty_table = usage.in_use == 0 && report.scanned == 0;
    return report;
}

}  // namespace headgate::conntrack
