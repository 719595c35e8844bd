// Where operations and their flows are kept: history for those who ask later, and the journal of a flush, so that after
// a crash nothing is half-known. One of headgate's seams to the outside; the real one is operations::SqliteStore, and
// the tests hold a second one in memory to the same conformance.
//
// An id that is not there, or not any more, is an error with ENOENT wherever its flows are to be written or read. A
// disk without space is one with ENOSPC: what was asked was then not done.
//
// "Durable" is on the disk: it survives a power cut. Everything else survives the end of this process, unless it says
// otherwise.
//
// Thread-safe: the worker of an operation writes while others read. Sinks are called without a lock, and may ask the
// store themselves.
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
#include "headgate/result.h"

namespace headgate {

/// A flow of an operation as it is kept.
struct StoredFlow {
    Flow flow;
    std::optional<Outcome> outcome;  ///< absent: captured, or part of a flush that has not come to it (pending)
    int error = 0;                   ///< of Outcome::Failed, the errno

    friend bool operator==(const StoredFlow&, const StoredFlow&) = default;
};

/// Which operations to list; what is absent matches any. Written by its names: {.status = ..., .at_most = 10}.
struct OperationSelection {
    std::optional<OperationType> type{};
    std::optional<OperationStatus> status{};
    std::optional<std::vector<std::string>> firewalls{};  ///< one of these
    std::optional<std::string> availability_zone{};
    bool one_off_runs = true;  ///< those in a network namespace, which are no firewall's; false: without them
    std::size_t at_most = 1000;
    std::string before_id{};  ///< goes on behind this one; empty: from the newest
};

using MayGoOn = std::function<bool()>;
inline bool to_the_end() {
    return true;
}

using StoredFlowSink = std::function<Result<void>(std::span<const StoredFlow>)>;

class OperationStore {
  public:
    virtual ~OperationStore() = default;

    /// A new operation. Durable when it returns. The token, if there is one, is remembered with it. Refused with EEXIST
    /// where the id or the token was used before: of two that begin at once with one token, the second learns it here.
    virtual Result<void> begin(const FlowOperation& operation, std::string_view request_token) = 0;

    /// What is known of the operation by now: status, counts, detail, duration. Durable when the status is not
    /// IN_PROGRESS, and with it all flows that were appended.
    virtual Result<void> update(const FlowOperation& operation) = 0;

    /// Nothing where it is not there.
    virtual Result<std::optional<FlowOperation>> find(std::string_view id) = 0;
    virtual Result<std::optional<FlowOperation>> find_by_token(std::string_view request_token) = 0;

    /// Newest first: in the order in which they began, whatever their clock said. Empty where `before_id` is not there
    /// any more: what was behind it went before it.
    virtual Result<std::vector<FlowOperation>> list(const OperationSelection& selection) = 0;

    /// Flows of a capture, or those that a flush leaves alone, behind those that are there. May be gathered in memory
    /// until the operation ends; a reader of this store sees them all the same. After an error some are missing: the
    /// operation has failed.
    virtual Result<void> append(std::string_view id, std::span<const StoredFlow> flows) = 0;

    /// Whether it can be written and so many flows and their outcomes still fit: ENOSPC where they do not. What others
    /// write meanwhile is not foreseen.
    virtual Result<void> ensure_room(std::uint64_t flows) = 0;

    /// The journal of a flush: flows that are about to be ended, behind those that are there. Durable when it returns.
    /// The number of the block, to settle it by. Each call costs a sync of the disk: blocks of thousands of rows.
    virtual Result<std::uint64_t> append_pending(std::string_view id, std::span<const FlowRow> rows) = 0;

    /// What became of a block's flows, in their order and all of them; once. From then on they are told as their
    /// endings have them. Not durable by itself, but with the next call that is: after a power cut a block may be
    /// pending again, and the table, which the cut has emptied, is asked for its flows as after any crash.
    virtual Result<void> settle(std::string_view id, std::uint64_t block, std::span<const FlowEnding> endings) = 0;

    /// Blocks of an operation that were never settled, in their order, with their flows. Rows without keys. Settling
    /// the block in hand is allowed.
    virtual Result<void> for_each_pending(
        std::string_view id,
        const std::function<Result<void>(std::uint64_t block, std::span<const FlowRow> rows)>& take) = 0;

    /// `count` flows from the `first` on, in their order; fewer at the end. A look-up, however many there are.
    virtual Result<std::vector<StoredFlow>> flows(std::string_view id, std::uint64_t first, std::size_t count) = 0;

    /// All flows from the `first` on, in their order, block by block, in constant memory. An error where the operation
    /// is removed meanwhile.
    virtual Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) = 0;

    /// Removes operations that ended longer ago than this; returns how many. By time that has passed, whatever a clock
    /// said meanwhile: what cannot be told to have passed has not. Their space comes back with sweep().
    virtual Result<std::uint64_t> expire(std::chrono::seconds kept_for) = 0;

    /// A step towards giving back the space of what was removed: some milliseconds, and whoever waits to write comes
    /// before the next one. Whether there is more to be done. This takes a little room itself: where a disk has none at
    /// all, it is an error.
    virtual Result<bool> sweep() = 0;

    /// Removes operations that ended until no more than this is used, in steps as sweep() does; returns how many.
    /// Captures go first, the oldest of the caller who keeps the most flows. A flush, or its dry run, goes when no
    /// capture is left, none in progress either: nobody who captures pushes out the history of those who flush. Asked
    /// between two steps, `may_go_on` ends it early.
    virtual Result<std::uint64_t> shrink_to(std::uint64_t bytes, const MayGoOn& may_go_on = to_the_end) = 0;

    /// Gives back memory that only work in hand needs.
    virtual void trim() = 0;

    /// On the disk, with everything that belongs to it.
    virtual Result<std::uint64_t> bytes_used() = 0;
};

}  // namespace headgate
