// What flushes end goes into the flow log, from where it is known best: from the flush itself.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "headgate/clock.h"
#include "headgate/operation_store.h"

#include "flowlog/flow_log.h"
#include "gateway/unwritten_mark.h"
#include "operations/flush_listener.h"

namespace headgate::gateway {

/// Thread-safe.
class FlushRecords final : public operations::FlushListener {
  public:
    /// The log and the clock outlive this object. In `state_dir` flushes are marked whose records are not all
    /// written so far.
    FlushRecords(flowlog::FlowLog& log, const Clock& clock, std::filesystem::path state_dir)
        : log_(log), clock_(clock), state_dir_(std::move(state_dir)) {}

    [[nodiscard]] Result<void> begins(const FlowOperation& operation) const override;
    void flushed(const FlowOperation& operation, std::span<const FlowEnding> endings) const override;
    void ended(const FlowOperation& operation) const override;
    void lost_sight_of(const FlowOperation& operation, std::span<const Flow> flows) const override;

    /// Of flows that a killed process flushed, those of which the log has no record get one. What is still in progress
    /// is left to later, as is all where this process writes no log. Where the log has a file, that tells which there
    /// are; otherwise all get another record. Returns how many there were; an error is the first of them, and the
    /// others were made up for. Takes as long as reading that file does.
    [[nodiscard]] Result<std::uint64_t> make_up(OperationStore& store, const config::FlowLog& settings) const;

  private:
    using Mark = std::shared_ptr<const UnwrittenMark>;

    [[nodiscard]] Mark mark_of(const FlowOperation& operation) const;
    [[nodiscard]] Result<std::uint64_t> make_up_for_marked(const std::string& id, OperationStore& store,
                                                           const config::FlowLog& settings) const;
    [[nodiscard]] Result<std::uint64_t> make_up_for(const FlowOperation& operation, const Mark& mark,
                                                    OperationStore& store, const config::FlowLog& settings) const;

    flowlog::FlowLog& log_;
    const Clock& clock_;
    std::filesystem::path state_dir_;

    mutable std::mutex mutex_;
    mutable std::map<std::string, Mark, std::less<>> held_;  ///< of operations that still end flows; under the mutex
};

}  // namespace headgate::gateway
