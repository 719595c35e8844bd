// SPDX-License-Identifier: GPL-2.0-or-later
// The flow table: conntrack in one network namespace. One of headgate's four interfaces to the outside:
// conntrack::KernelFlowTable is the real one, and the tests hold an in-memory one to the same conformance tests.
//
// Not thread-safe: an object serves one operation at a time. Several objects may work concurrently, also on one
// namespace.
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

/// Identifies exactly one entry to the kernel: the attributes CTA_TUPLE_ORIG, CTA_ZONE and CTA_ID as the dump returned
/// them, sent back unchanged so that no conversion can lose anything. Empty for a row that was read from a file: the
/// table then builds the key from the flow.
struct FlowKey {
    static constexpr std::size_t kCapacity = 127;  ///< the largest, ICMPv6 in a directional zone, has 116 bytes

    std::uint8_t length = 0;
    std::array<std::byte, kCapacity> storage{};

    [[nodiscard]] std::span<const std::byte> bytes() const { return std::span{storage}.first(length); }
};

/// A flow as the table reports it, with the key to delete it. Trivially copyable, so that rows can be spooled.
struct FlowRow {
    Flow flow;
    FlowKey key;
};

/// The result for one row of a removal. `flow` is the row's, updated from the kernel's last event: final counters,
/// protocol state and stop time.
struct FlowEnding {
    Flow flow;
    Outcome outcome = Outcome::Failed;
    int error = 0;  ///< errno, for Outcome::Failed
};

enum class Presence : std::uint8_t { There, Gone };

using PresenceSink = std::function<void(const Flow&, Presence)>;
using EndingSink = std::function<void(const FlowEnding&)>;

/// Receives the results of a scan. An error that it returns ends the scan with that error.
class ScanListener {
  public:
    virtual ~ScanListener() = default;

    /// Describes the strategy of the scan, before it begins; called again if the strategy changes.
    virtual void planned(std::string_view /*plan*/) {}

    /// Rows examined so far, matching or not; called several times a second.
    virtual Result<void> progressed(std::uint64_t /*scanned*/) { return {}; }

    /// The next matching rows; each flow is reported once. The span is valid only during the call.
    virtual Result<void> matched(std::span<const FlowRow> rows) = 0;
};

struct ScanReport {
    std::uint64_t scanned = 0;  ///< rows received from the kernel; the sum over all passes of a repeated scan
    std::uint64_t matched = 0;
    std::uint64_t closed = 0;         ///< left out: match, but only active flows are in scope
    std::uint64_t age_unknown = 0;    ///< left out: match, but their age is unknown
    std::uint64_t bytes_unknown = 0;  ///< left out: match, but have no counters
    unsigned restarts = 0;            ///< times that the scan was repeated because the table was resized during it
};

struct TableUsage {
    std::uint64_t in_use = 0;   ///< entries, including dying ones
    std::uint64_t maximum = 0;  ///< 0: no limit
    std::uint64_t buckets = 0;  ///< of the hash table, which all namespaces share
};

class FlowTable {
  public:
    virtual ~FlowTable() = default;

    /// Reports each flow that matches at `moment`, once. A flow that is in the table during the whole scan is never
    /// missed.
    virtual Result<ScanReport> scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) = 0;

    /// Looks up exactly these flows and changes nothing. Reports each in order, updated, and whether it still exists. A
    /// flow whose tuple now belongs to another flow is Gone.
    virtual Result<void> look_up(std::span<const FlowRow> rows, const PresenceSink& found) = 0;

    /// Ends exactly these flows and reports one ending for each, in order. A row whose flow ended by itself, or whose
    /// tuple now belongs to another flow, is Gone. Fails as a whole only before the first row was touched.
    virtual Result<void> remove(std::span<const FlowRow> rows, const EndingSink& ended) = 0;

    /// Inserts flows: original and reply tuple, zone, mark, timeout, status and protocol state.
    /// Stops at the first flow that the kernel refuses (EEXIST: the flow exists already).
    virtual Result<void> insert(std::span<const Flow> flows) = 0;

    virtual Result<TableUsage> usage() = 0;

    /// Whether a midstream TCP packet creates a flow (nf_conntrack_tcp_loose; nf_conntrack_proto_tcp.c, tcp_new).
    virtual Result<bool> tcp_loose() = 0;
};

}  // namespace headgate
