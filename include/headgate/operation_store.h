// SPDX-License-Identifier: GPL-2.0-or-later
// Stores operations and their flows: the history, and the journal of a flush, from which every outcome can be recovered
// after a crash. One of headgate's four interfaces to the outside: operations::SqliteStore is the real one, and the
// tests hold an in-memory one to the same conformance tests.
//
// Reading or writing the flows of an unknown or removed id fails with Missing. If the disk is full, a call fails with
// DiskFault and does not do what was requested.
//
// "Durable" means on disk: it survives a power failure. Everything else survives the end of this process, unless stated
// otherwise.
//
// Thread-safe: an operation's worker writes while other threads read. Sinks are called without a lock and may call the
// store.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/operation_flows.h"
#include "headgate/result.h"

namespace headgate {

/// Which operations to list; an absent member matches any. Use designated initializers: {.status = ..., .at_most = 10}.
struct OperationSelection {
    std::optional<OperationType> type{};
    std::optional<OperationStatus> status{};
    std::optional<std::vector<std::string>> firewalls{};  ///< any of these
    std::optional<std::string> availability_zone{};
    std::optional<std::string> user{};  ///< by Caller::name()
    std::optional<Timestamp> since{};   ///< requested then or later
    bool one_off_runs = true;           ///< include runs in a network namespace, which belong to no firewall
    std::string id_begin{};             ///< the first characters of the id
    std::size_t at_most = 1000;
    std::string before_id{};  ///< continues after this operation; empty: from the newest

    /// Whether it selects this operation, regardless of at_most and before_id.
    [[nodiscard]] bool has(const FlowOperation& operation) const;
};

using MayGoOn = std::function<bool()>;
inline bool to_the_end() {
    return true;
}

/// for_each_block() fails if the operation is removed meanwhile.
class OperationStore : public OperationFlows {
  public:
    /// Stores a new operation and its token, if any. Durable on return. Exists if the id or the token was
    /// used before: of two operations that begin at once with one token, the second fails here.
    virtual Result<void> begin(const FlowOperation& operation, std::string_view request_token) = 0;

    /// Stores the operation's current status, counts, detail and duration. Durable if the status is not IN_PROGRESS,
    /// together with all flows that were appended.
    virtual Result<void> update(const FlowOperation& operation) = 0;

    /// No value if the operation does not exist.
    virtual Result<std::optional<FlowOperation>> find(std::string_view id) = 0;
    virtual Result<std::optional<FlowOperation>> find_by_token(std::string_view request_token) = 0;

    /// Newest first: in order of start, regardless of the clock. Empty if `before_id` no longer exists, because
    /// operations after it were removed before it.
    virtual Result<std::vector<FlowOperation>> list(const OperationSelection& selection) = 0;

    /// Appends flows of a capture, or flows that a flush leaves alone. May be buffered in memory until the operation
    /// ends; readers of this store see them nevertheless. After an error some flows are missing: the operation has
    /// failed.
    virtual Result<void> append(std::string_view id, std::span<const FlowRow> flows) = 0;

    /// Checks that the store is writable and has room for this many flows and their outcomes: DiskFault if not.
    /// Concurrent writes are not taken into account.
    virtual Result<void> ensure_room(std::uint64_t flows) = 0;

    /// The journal of a flush: appends flows that are about to be ended. Durable on return. Returns the number of the
    /// block, for record_outcomes(). Each call costs a disk sync: pass blocks of thousands of rows.
    virtual Result<std::uint64_t> append_pending(std::string_view id, std::span<const FlowRow> rows) = 0;

    /// Records the outcomes of all flows of a block, in order; once per block. From then on the flows are returned as
    /// in `endings`, with the verdicts that they had. Not durable by itself, but with the next durable call: after a
    /// power failure a block may be pending again, and its flows are looked up in the table, then empty, as after any
    /// crash.
    virtual Result<void> record_outcomes(std::string_view id, std::uint64_t block,
                                         std::span<const FlowRow> endings) = 0;

    /// Calls `sink` for each pending block of an operation, in order, with its flows. `sink` may call
    /// record_outcomes() for the block that it is given.
    virtual Result<void> for_each_pending(
        std::string_view id,
        const std::function<Result<void>(std::uint64_t block, std::span<const FlowRow> rows)>& sink) = 0;

    /// Removes operations that ended longer ago than `kept_for`; returns how many. Measured in elapsed time,
    /// independent of clock changes: time that is not known to have elapsed does not count. sweep() releases the space.
    virtual Result<std::uint64_t> expire(std::chrono::seconds kept_for) = 0;

    /// Releases part of the space of removed operations, for some milliseconds; waiting writers run before the next
    /// step. Returns whether there is more to release. A step takes a little space itself: on a completely full disk it
    /// fails.
    virtual Result<bool> sweep() = 0;

    /// Removes ended operations until at most `bytes` are used, in steps as sweep() does; returns how many. Captures go
    /// first, the oldest of the caller that keeps the most flows. A flush, or its dry run, is removed only when no
    /// capture is left, not even one in progress: captures must not displace the history of flushes. `may_go_on` is
    /// called between steps; false ends the call early.
    virtual Result<std::uint64_t> shrink_to(std::uint64_t bytes, const MayGoOn& may_go_on = to_the_end) = 0;

    /// Frees memory that is needed only during work.
    virtual void trim() = 0;

    /// Bytes on disk, including auxiliary files.
    virtual Result<std::uint64_t> bytes_used() = 0;
};

}  // namespace headgate
