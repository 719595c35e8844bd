// The flow table: conntrack in one network namespace, as everything above sees it. One of headgate's four seams to the
// outside; the real one is conntrack::KernelFlowTable, and the tests hold a second one in memory to the same
// conformance.
//
// One object serves one operation at a time: not thread-safe. Two objects may work at once, also on one namespace.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "headgate/flow.h"
#include "headgate/flow_query.h"
#include "headgate/result.h"

namespace headgate {

/// What names exactly one entry to the kernel: the attributes CTA_TUPLE_ORIG, CTA_ZONE and CTA_ID as the dump gave
/// them. Sent back unchanged, so that nothing is lost in translation. Empty for a row that was read from a file: then
/// the table builds it from the flow.
struct FlowKey {
    static constexpr std::size_t kCapacity = 127;  ///< the largest, ICMPv6 in a directional zone, takes 116

    std::uint8_t length = 0;
    std::array<std::byte, kCapacity> storage{};

    [[nodiscard]] std::span<const std::byte> bytes() const { return std::span{storage}.first(length); }
};

/// A flow as the table shows it, with what it takes to delete it. Trivially copyable, so that rows can be spooled.
struct FlowRow {
    Flow flow;
    FlowKey key;
};

/// What became of one row of a removal. `flow` is the row's, brought up to date by the kernel's last event:
/// final counters, protocol state and stop time.
struct FlowEnding {
    Flow flow;
    Outcome outcome = Outcome::Failed;
    int error = 0;  ///< errno of a Failed one
};

enum class Presence : std::uint8_t { There, Gone };

using PresenceSink = std::function<void(const Flow&, Presence)>;
using EndingSink = std::function<void(const FlowEnding&)>;

/// Follows a scan. What it returns as an error ends the scan with that error.
class ScanListener {
  public:
    virtual ~ScanListener() = default;

    /// Which way the table takes, in words, before it begins.
    virtual void planned(std::string_view /*plan*/) {}

    /// Rows seen so far, matching or not; several times a second.
    virtual Result<void> progressed(std::uint64_t /*scanned*/) { return {}; }

    /// The next rows that match: each flow once. The span is gone after the call.
    virtual Result<void> matched(std::span<const FlowRow> rows) = 0;
};

struct ScanReport {
    std::uint64_t scanned = 0;  ///< rows that the kernel told; of a repeated scan all passes together
    std::uint64_t matched = 0;
    std::uint64_t closed = 0;         ///< left out: they would match, but active flows were wanted
    std::uint64_t age_unknown = 0;    ///< left out: they would match, but their age is not known
    std::uint64_t bytes_unknown = 0;  ///< left out: they would match, but have no counters
    unsigned restarts = 0;            ///< times that the table was resized under the scan, which was then repeated
};

struct TableUsage {
    std::uint64_t in_use = 0;   ///< entries, dying ones among them
    std::uint64_t maximum = 0;  ///< 0: no limit
    std::uint64_t buckets = 0;  ///< of the hash, which all namespaces share
};

class FlowTable {
  public:
    virtual ~FlowTable() = default;

    /// Tells each flow that matches at `moment`, once. A flow that is in the table during the whole scan is never
    /// missed.
    virtual Result<ScanReport> scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) = 0;

    /// Asks for exactly these flows and changes nothing. Tells each in its order, brought up to date, and whether it is
    /// still there; one whose tuple belongs to another flow by now is not.
    virtual Result<void> look_up(std::span<const FlowRow> rows, const PresenceSink& found) = 0;

    /// Ends exactly these flows and tells one ending for each, in their order. A row whose flow ended by itself, or
    /// whose tuple belongs to another flow by now, is Gone. Fails as a whole only before the first one was touched.
    virtual Result<void> remove(std::span<const FlowRow> rows, const EndingSink& ended) = 0;

    /// Puts flows into the table: original and reply tuple, zone, mark, timeout, status and protocol state.
    /// Stops at the first one that the kernel refuses (EEXIST: it is there already).
    virtual Result<void> insert(std::span<const Flow> flows) = 0;

    virtual Result<TableUsage> usage() = 0;

    /// Whether a TCP packet in the middle of a connection makes a flow of it (nf_conntrack_tcp_loose;
    /// nf_conntrack_proto_tcp.c, tcp_new).
    virtual Result<bool> picks_up_tcp() = 0;
};

}  // namespace headgate
