// How a query is answered with the least trouble for the gateway's traffic: pure decisions, no I/O. Thread-safe.
//
// - Full tuples are looked up: a few microseconds, whatever the size of the table.
// - Everything else is one dump of the whole table, matched here.
// - A kernel-side filter only narrows that dump where enough rows pass it. The kernel keeps softirqs off until it has
//   filled 32 KiB with rows that pass (nf_conntrack_netlink.c, ctnetlink_dump_table): a filter that lets one row in a
//   million through stops the CPU's traffic for as long as the whole table takes. Addresses are never pushed down: most
//   kernels compare IPv6 addresses the wrong way round (ctnetlink_filter_match_tuple, 5.8 to 6.18).
//
// Whatever the way, every row is matched again here: a kernel that ignores a filter cannot change the answer.
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

/// From uname's release; 0.0 for a text that does not begin with two numbers.
[[nodiscard]] KernelVersion parse_kernel_version(std::string_view release);

struct StatusMatch {
    std::uint32_t value = 0;
    std::uint32_t mask = 0;

    friend bool operator==(const StatusMatch&, const StatusMatch&) = default;
};

/// What the kernel can leave out of a dump for us. A row passes when every part that is given fits.
struct KernelFilter {
    std::optional<Family> family;
    std::optional<Protocol> protocol;  ///< only together with a family: EOPNOTSUPP otherwise
    std::optional<MarkMatch> mark;
    std::optional<StatusMatch> status;  ///< from 5.15
    std::optional<std::uint16_t> zone;  ///< from 6.8; earlier kernels ignore it

    [[nodiscard]] bool empty() const { return *this == KernelFilter{}; }
    [[nodiscard]] bool passes(const Flow& flow) const noexcept;

    friend bool operator==(const KernelFilter&, const KernelFilter&) = default;
};

struct TableFacts {
    KernelVersion kernel;
    std::uint64_t entries = 0;  ///< nf_conntrack_count of the namespace
};

struct ScanPlan {
    enum class Method : std::uint8_t { Dump, Lookup };

    Method method = Method::Dump;
    std::vector<FlowTuple> lookups;    ///< Lookup: these tuples ...
    std::vector<std::uint16_t> zones;  ///< ... in each of these zones; empty: in all 65,536
    KernelFilter candidate;            ///< Dump: what the kernel could leave out, if a sample shows that it is harmless
    bool worth_a_sample = false;       ///< Dump: the table is large enough
    std::string reason;

    [[nodiscard]] std::uint64_t lookup_count() const noexcept;
};

[[nodiscard]] ScanPlan plan_scan(const FlowQuery& query, const TableFacts& facts);

/// The beginning of an unfiltered dump. Rows come in hash order, so it stands for the whole table.
struct DumpSample {
    std::uint64_t rows = 0;
    std::uint64_t passing = 0;                  ///< rows that the candidate lets through
    std::uint64_t ipv4 = 0;                     ///< rows of that family
    std::chrono::nanoseconds typical_piece{0};  ///< median time of one receive, that is, with softirqs off
};

/// Tables below this size are dumped before a sample would pay.
inline constexpr std::uint64_t kSampleFrom = 100'000;
inline constexpr std::uint64_t kSampleRows = 4'000;

/// Of a filtered dump, to see how long its pieces take.
inline constexpr std::uint64_t kProbeRows = 1'000;

/// How long the kernel may be kept from the gateway's traffic at a time.
inline constexpr std::chrono::nanoseconds kLongestPause = std::chrono::milliseconds{1};

/// The dumps to run side by side, which together tell every row that can match, and none twice:
/// - the candidate alone, if it spares rows and lets enough of them through;
/// - otherwise one for each family, if both are common enough for that. A flow's family never changes, so no flow can
///   slip from one dump to the other; that cannot be said of marks and status bits;
/// - otherwise the whole table.
/// What comes out is likely to be harmless, not certain: whoever runs it tries each filtered dump first.
[[nodiscard]] std::vector<KernelFilter> choose_dumps(const KernelFilter& candidate, const DumpSample& sample);

/// One line for --explain.
[[nodiscard]] std::string describe(const ScanPlan& plan);
[[nodiscard]] std::string describe(const std::vector<KernelFilter>& dumps);

}  // namespace headgate::conntrack
