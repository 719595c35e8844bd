// SPDX-License-Identifier: GPL-2.0-or-later
// The flow log: receives ended flows from listeners and operations, formats them as records and sends those to the
// sinks. No caller ever waits for a sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headgate/ended_flow.h"
#include "headgate/flow_table.h"

#include "config/configuration.h"
#include "flowlog/destroy_decoder.h"
#include "flowlog/recent_flow_buffer.h"
#include "flowlog/sink_set.h"

namespace headgate::flowlog {

/// The events that a listener has to receive; absent if no sink is configured.
[[nodiscard]] std::optional<conntrack::WantedEnds> wanted_ends(const config::FlowLog& settings);

struct FlowLogCounts {
    std::map<std::optional<EndReason>, std::uint64_t> ended;  ///< flows with a record, by reason
    std::uint64_t events_lost = 0;                            ///< by the kernel: the socket buffer was full
    std::uint64_t dropped = 0;  ///< flows dropped because the queue before formatting was full
    std::vector<std::pair<std::string, SinkCounts>> sinks;  ///< by unique name, in the configuration's order
};

/// Thread-safe.
class FlowLog {
  public:
    /// Opens no sink and starts no thread before open() or the first record.
    FlowLog(const config::FlowLog& settings, StandardOutput output, LogCallback tell);

    /// Writes what is queued, for a few seconds at most.
    ~FlowLog();
    FlowLog(const FlowLog&) = delete;
    FlowLog& operator=(const FlowLog&) = delete;

    /// Opens the sinks before the first record, so that a fault is reported at once.
    void open();

    /// Applies to flows that are processed later. Unchanged sinks keep their queues.
    void configure(const config::FlowLog& settings);

    /// Reopens the sinks' files, which may have been renamed by log rotation.
    void reopen();

    /// Enqueues events from a listener.
    void take(ReceivedEvents received);

    /// Enqueues flows whose end is known from elsewhere, such as a flush. The mark is kept until every sink has written
    /// or dropped their records.
    void take(std::vector<EndedFlow> ended, std::shared_ptr<const UnwrittenMark> mark = nullptr);

    /// Enqueues a report of events that the kernel dropped.
    void take(LostFlows lost);

    /// Whether a sink is configured that this process writes to.
    [[nodiscard]] bool has_sinks() const;

    [[nodiscard]] const RecentFlowBuffer& recent() const noexcept;

    /// Wakes all readers of recent() and lets none of them wait again.
    void end_looking_on();

    [[nodiscard]] FlowLogCounts counts() const;

    /// Writes what is queued, for `at_most`; what remains then is dropped and reported.
    void finish(std::chrono::milliseconds at_most);

  private:
    class Worker;
    std::unique_ptr<Worker> worker_;
};

}  // namespace headgate::flowlog
