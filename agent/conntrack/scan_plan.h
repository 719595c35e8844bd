// SPDX-License-Identifier: GPL-2.0-or-later
// Decides how to answer a query with the least disturbance of traffic: pure functions, no I/O. Thread-safe.
//
// - Full tuples are looked up: a few microseconds, whatever the size of the table.
// - In a large table, programs in the kernel walk the hash (walk/hash_walk.h).
// - Everything else is one dump of the whole table, matched in this process.
// - A kernel-side filter narrows that dump only if enough rows pass it. The kernel keeps softirqs off until it has
//   filled 32 KiB with rows that pass (nf_conntrack_netlink.c, ctnetlink_dump_table): a filter that passes one row in a
//   million stops the CPU's traffic for as long as the whole table takes. Addresses are never filtered in the kernel:
//   most kernels invert the comparison of IPv6 addresses (ctnetlink_filter_match_tuple, 5.8 to 6.18).
//
// In any case every row is matched again in this process: a kernel that ignores a filter cannot change the answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "headgate/flow.h"
#include "headgate/flow_query.h"

namespace headgate::conntrack {

struct KernelVersion {
    unsigned major = 0;
    unsigned minor = 0;

    friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};

/// Parses the release of uname(2); 0.0 for a text that does not begin with two numbers.
[[nodiscard]] KernelVersion parse_kernel_version(std::string_view release);

struct StatusMatch {
    std::uint32_t value = 0;
    std::uint32_t mask = 0;

    friend bool operator==(const StatusMatch&, const StatusMatch&) = default;
};

/// Lets the kernel leave rows out of a dump. A row passes if it matches all given parts.
struct KernelFilter {
    std::optional<Family> family;
    std::optional<Protocol> protocol;  ///< requires a family: EOPNOTSUPP otherwise
    std::optional<MarkMatch> mark;
    std::optional<StatusMatch> status;  ///< since 5.15
    std::optional<std::uint16_t> zone;  ///< since 6.8; earlier kernels ignore it

    [[nodiscard]] bool empty() const { return *this == KernelFilter{}; }
    [[nodiscard]] bool passes(const Flow& flow) const noexcept;

    friend bool operator==(const KernelFilter&, const KernelFilter&) = default;
};

struct TableFacts {
    KernelVersion kernel;
    std::uint64_t entries = 0;                     ///< nf_conntrack_count of the namespace
    std::uint64_t entries_of_host = 0;             ///< of all namespaces, as far as known
    std::optional<std::uint64_t> walks_from = {};  ///< so many entries of the host are worth a walk; absent: no walk
    bool may_trust_rows = false;                   ///< a walk may report flows without looking each up
};

/// An entry to look up: the one that has this tuple in one of its directions, in this zone.
struct Candidate {
    FlowTuple tuple;
    std::uint16_t zone = 0;

    friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// The candidates of a query that names full tuples. Each pair is made when it is asked for, because there may be
/// millions of them.
struct Lookups {
    std::vector<FlowTuple> tuples;     ///< these ...
    std::vector<std::uint16_t> zones;  ///< ... each in all of these; empty: in all 65,536

    [[nodiscard]] std::uint64_t count() const noexcept;
    [[nodiscard]] Candidate at(std::uint64_t index) const;  ///< `index` must be below count()

    friend bool operator==(const Lookups&, const Lookups&) = default;
};

struct ScanPlan {
    enum class Method : std::uint8_t { Dump, Lookup, Walk };

    Method method = Method::Dump;
    Lookups lookups;              ///< Lookup: what to look up
    KernelFilter candidate;       ///< of a dump: filter to use if a sample shows that it is harmless
    bool worth_a_sample = false;  ///< of a dump: the table is large enough for a sample
    std::string reason;
};

[[nodiscard]] ScanPlan plan_scan(const FlowQuery& query, const TableFacts& facts);

/// The beginning of an unfiltered dump. Rows come in hash order, so it is representative of the whole table.
struct DumpSample {
    std::uint64_t rows = 0;
    std::uint64_t passing = 0;                  ///< rows that pass the candidate
    std::uint64_t ipv4 = 0;                     ///< IPv4 rows
    std::chrono::nanoseconds typical_piece{0};  ///< median time of one receive, during which softirqs are off
};

/// Tables with fewer entries are dumped before a sample would pay.
inline constexpr std::uint64_t kSampleFrom = 100'000;
inline constexpr std::uint64_t kSampleRows = 4'000;

/// Rows to read of a filtered dump to measure its pieces.
inline constexpr std::uint64_t kProbeRows = 1'000;

/// The longest time for which the kernel may be kept from the gateway's traffic at once.
inline constexpr std::chrono::nanoseconds kLongestPause = std::chrono::milliseconds{1};

/// The dumps to run concurrently, which together report every row that can match, and none twice:
/// - the candidate alone, if it leaves rows out and passes enough of them;
/// - otherwise one for each family, if both are common enough. A flow's family never changes, so no flow can move from
///   one dump to the other, as it could with marks and status bits;
/// - otherwise the whole table.
/// The result is probably harmless, not certainly: the caller tries each filtered dump first.
[[nodiscard]] std::vector<KernelFilter> choose_dumps(const KernelFilter& candidate, const DumpSample& sample);

/// Begins the description of a scan that reads the whole table.
inline constexpr std::string_view kFullScan = "full table scan";

/// Begins the description of a walk.
inline constexpr std::string_view kHashWalk = "walk of the hash in the kernel";

/// One line for --explain.
[[nodiscard]] std::string describe(const ScanPlan& plan);
[[nodiscard]] std::string describe(const std::vector<KernelFilter>& dumps);

}  // namespace headgate::conntrack
