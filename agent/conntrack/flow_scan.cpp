// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/flow_scan.h"

#include <sys/utsname.h>

#include <algorithm>
#include <memory>

#include "conntrack/dump_source.h"
#include "conntrack/lookup_source.h"
#include "conntrack/row_matcher.h"
#include "conntrack/scan_plan.h"

namespace headgate::conntrack {
namespace {

/// Resizes are rare. A table that is resized all the time is a misconfiguration, and no scan of it can be complete.
constexpr unsigned kMostRestarts = 5;

/// The largest distance, in rows, of a repeated row: the longest chain to expect, many times the mean because chain
/// lengths are Poisson distributed, plus the rows that another concurrent dump has reported meanwhile.
std::size_t repetition_window(const TableUsage& usage) {
    constexpr std::size_t kBesideTheChain = 4096;
    return kBesideTheChain + 16 * usage.in_use / std::max<std::uint64_t>(usage.buckets, 1);
}

KernelVersion running_kernel() {
    utsname name{};
    return ::uname(&name) == 0 ? parse_kernel_version(name.release) : KernelVersion{};
}

Result<std::unique_ptr<ScanSource>> source_for(const ScanPlan& plan, const SocketSource& open_socket,
                                               const TableSysctls& sysctls, ScanListener& listener) {
    if (plan.method == ScanPlan::Method::Lookup) {
        return std::make_unique<LookupSource>(open_socket, walk_of(plan.lookups));
    }
    ASSIGN_OR_RETURN(auto dumps, confirm_dumps(open_socket, plan, listener));
    return std::make_unique<DumpSource>(open_socket, sysctls, std::move(dumps));
}

Result<void> read_until_complete(ScanSource& source, RowMatcher& rows, ScanListener& listener) {
    for (unsigned restarts = 0; restarts <= kMostRestarts; ++restarts) {
        if (restarts > 0) rows.restart();
        ASSIGN_OR_RETURN(const auto pass, source.read(rows));
        if (pass == Pass::Complete) return rows.flush();
        listener.planned("the table was resized under the dump, which may have lost rows: once more");
    }
    return failed(
        "the conntrack table was resized {} times during the scan: no complete answer is possible; "
        "find out who writes nf_conntrack_buckets",
        kMostRestarts + 1);
}

}  // namespace

Result<ScanReport> run_scan(const SocketSource& open_socket, const TableSysctls& sysctls, const FlowQuery& query,
                            const Moment& moment, ScanListener& listener) {
    ASSIGN_OR_RETURN(const auto usage, sysctls.usage());
    const ScanPlan plan = plan_scan(query, TableFacts{running_kernel(), usage.in_use});
    listener.planned(describe(plan));
    ASSIGN_OR_RETURN(const auto source, source_for(plan, open_socket, sysctls, listener));
    RowMatcher rows{query, moment, listener, repetition_window(usage)};
    RETURN_IF_ERROR(read_until_complete(*source, rows, listener));
    return rows.report();
}

}  // namespace headgate::conntrack
