// SPDX-License-Identifier: GPL-2.0-or-later
// Flow log records of flushed flows. They come from the flush itself, which knows the final state best.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "headgate/clock.h"
#include "headgate/flush_listener.h"
#include "headgate/operation_store.h"

#include "flowlog/flow_log.h"
#include "flowlog/unwritten_mark.h"

namespace headgate::flowlog {

/// Thread-safe.
class FlushRecords final : public FlushListener {
  public:
    /// `log` and `clock` must outlive this object. Marks in `state_dir` the flushes whose records are not all written.
    FlushRecords(FlowLog& log, const headgate::Clock& clock, std::filesystem::path state_dir)
        : log_(log), clock_(clock), state_dir_(std::move(state_dir)) {}

    [[nodiscard]] Result<void> begins(const FlowOperation& operation) const override;
    void flushed(const FlowOperation& operation, std::span<const FlowRow> endings) const override;
    void ended(const FlowOperation& operation) const override;
    void lost_sight_of(const FlowOperation& operation, std::span<const Flow> flows) const override;

    /// After a process was killed, writes records of flows that it flushed and did not log. Skips operations in
    /// progress, and everything if this process writes no log. The last record in a log file shows which are missing;
    /// without one, all are written again. Returns the number written; on errors continues with other operations, and
    /// returns the first one. May read much of the file.
    [[nodiscard]] Result<std::uint64_t> make_up(OperationStore& store, const config::FlowLog& settings) const;

  private:
    using Mark = std::shared_ptr<const UnwrittenMark>;

    [[nodiscard]] Mark mark_of(const FlowOperation& operation) const;
    [[nodiscard]] Result<std::uint64_t> make_up_for_marked(const std::string& id, OperationStore& store,
                                                           const config::FlowLog& settings) const;
    [[nodiscard]] Result<std::uint64_t> make_up_for(const FlowOperation& operation, const Mark& mark,
                                                    OperationStore& store, const config::FlowLog& settings) const;

    FlowLog& log_;
    const headgate::Clock& clock_;
    std::filesystem::path state_dir_;

    mutable std::mutex mutex_;
    mutable std::map<std::string, Mark, std::less<>> held_;  ///< of operations that still end flows; guarded by mutex_
};

}  // namespace headgate::flowlog
