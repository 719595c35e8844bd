// SPDX-License-Identifier: GPL-2.0-or-later
// The flow log: receives ended flows from listeners and operations, formats them as records and sends those to the
// sinks. No caller ever waits for a sink.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "headgate/ended_flow.h"
#include "headgate/flow_table.h"

#include "config/configuration.h"
#include "conntrack/expiry/expired_flows.h"
#include "flowlog/destroy_decoder.h"
#include "flowlog/ended_flow_filter.h"
#include "flowlog/line_block.h"
#include "flowlog/recent_flow_buffer.h"
#include "flowlog/record_format.h"
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
    /// Opens no sink and starts no thread before open() or the first record. `expired`: flows whose events are not
    /// recorded, because a flush of this process ended them, which has more information; null: it lets none expire.
    FlowLog(config::FlowLog settings, StandardOutput output, LogCallback report,
            std::shared_ptr<conntrack::ExpiredFlows> expired = nullptr);

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
    void enqueue(ReceivedEvents received);

    /// Enqueues flows whose end is known from elsewhere, such as a flush. The mark is kept until every sink has written
    /// or dropped their records.
    void enqueue(std::vector<EndedFlow> ended, std::shared_ptr<const UnwrittenMark> mark = nullptr);

    /// Enqueues a report of events that the kernel dropped.
    void enqueue(LostFlows lost);

    /// Whether a sink is configured that this process writes to.
    [[nodiscard]] bool has_sinks() const;

    [[nodiscard]] const RecentFlowBuffer& recent() const noexcept { return recent_; }

    /// Wakes all readers of recent() and lets none of them wait again.
    void end_looking_on() { recent_.close(); }

    [[nodiscard]] FlowLogCounts counts() const;

    /// Writes what is queued, for `at_most`; what remains then is dropped and reported.
    void finish(std::chrono::milliseconds at_most);

  private:
    struct KnownEnds {
        std::vector<EndedFlow> flows;
        std::shared_ptr<const UnwrittenMark> mark;
    };
    using Item = std::variant<ReceivedEvents, KnownEnds, LostFlows>;
    struct Waiting {
        Item item;
        std::size_t bytes = 0;
        std::uint64_t flows = 0;
    };

    void enqueue(Waiting waiting);
    void drop_oldest();
    void start_if_needed();
    void run();
    void process(Item item, std::uint64_t dropped);
    void drop_unended_line();
    void push();
    [[nodiscard]] SinkSet open_sinks();
    void add(const ReceivedEvents& received);
    void add(KnownEnds& known);
    void add(std::vector<EndedFlow> ended, const std::shared_ptr<const UnwrittenMark>& mark);
    void add(const LostFlows& lost);
    void note(const LostFlows& lost);
    void push_block();

    void expect_events() const;

    const LogCallback report_;
    const std::shared_ptr<conntrack::ExpiredFlows> expired_;
    RecentFlowBuffer recent_;

    std::mutex mutex_;  ///< guards the queue
    std::condition_variable changed_;
    std::deque<Waiting> queue_;
    std::size_t bytes_ = 0;      ///< of the queued items
    std::uint64_t dropped_ = 0;  ///< flows not reported yet
    bool is_busy_ = false;
    bool stopping_ = false;
    bool has_reported_no_thread_ = false;
    std::jthread thread_;  ///< started with the first item

    mutable std::mutex output_;  ///< guards what follows; held for one item at a time
    config::FlowLog settings_;
    EndedFlowFilter wanted_;                ///< by the settings
    std::unique_ptr<RecordFormat> format_;  ///< null until the sinks are open
    SinkSet sinks_;
    std::shared_ptr<LineBlock> block_ = std::make_shared<LineBlock>();
    FlowLogCounts counts_;
    std::jthread farewell_;  ///< drains the queues of removed sinks
};

}  // namespace headgate::flowlog
