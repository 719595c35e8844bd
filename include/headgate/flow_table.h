// SPDX-License-Identifier: GPL-2.0-or-later
// The flow table: conntrack in one network namespace. One of headgate's four interfaces to the outside:
// conntrack::KernelFlowTable is the real one, and the tests hold an in-memory one to the same conformance tests.
//
// Not thread-safe: an object serves one operation at a time. Several objects may work concurrently, also on one
// namespace.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "headgate/flow.h"
#include "headgate/flow_query.h"
#include "headgate/result.h"

namespace headgate {

/// The result for one flow of an insertion.
enum class Insertion : std::uint8_t {
    Inserted,
    Exists,  ///< another flow has the tuple, and was left alone (EEXIST)
    Failed,
};

enum class Presence : std::uint8_t { There, Gone };

using PresenceSink = std::function<void(const Flow&, Presence)>;

/// Whether a flow, as it is now, is still to be ended.
using Confirmation = std::function<bool(const Flow&)>;

/// Receives a row with its outcome, and its flow updated from the kernel's last event: final counters, protocol state
/// and stop time.
using EndingSink = std::function<void(const FlowRow&)>;

/// `error`: errno; 0 if the flow was inserted.
using InsertionSink = std::function<void(const Flow&, Insertion, int error)>;

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
    bool empty_table = false;         ///< there was no flow at all when the scan began, and none was found
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

    /// Scans of this object read the table through ctnetlink alone, even where there is a faster way.
    virtual void forgo_fast_scans() {}

    /// Looks up exactly these flows and changes nothing. Reports each in order, updated, and whether it still exists. A
    /// flow whose tuple now belongs to another flow is Gone.
    virtual Result<void> look_up(std::span<const FlowRow> rows, const PresenceSink& found) = 0;

    /// Ends exactly these flows, each after another look at it, and reports one ending for each, in order. A row whose
    /// flow ended by itself, whose tuple now belongs to another flow, or which is not confirmed, is Gone. Fails as a
    /// whole only before the first row was touched.
    virtual Result<void> remove(std::span<const FlowRow> rows, const Confirmation& confirm,
                                const EndingSink& ended) = 0;

    /// Inserts flows, each with its translation, zone, mark, timeout, status, protocol state, SCTP tags, labels and
    /// helper, and reports the result of each, in order. Labels are lost where no rule uses any. TCP windows are
    /// tracked as of a connection that is picked up midstream. Id, counters and start time begin anew. Fails as a whole
    /// only before the first flow was inserted.
    virtual Result<void> insert(std::span<const Flow> flows, const InsertionSink& inserted) = 0;

    virtual Result<TableUsage> usage() = 0;

    /// Whether a midstream TCP packet creates a flow (nf_conntrack_tcp_loose; nf_conntrack_proto_tcp.c, tcp_new).
    virtual Result<bool> tcp_loose() = 0;
};

}  // namespace headgate
