// The flow log: takes what is known of ended flows from wherever it is known, makes records of it, and sends them to
// the sinks. Nobody who brings something ever waits for it.
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
#include "flowlog/event_reader.h"
#include "flowlog/recent_ends.h"
#include "flowlog/sink_set.h"

namespace headgate::flowlog {

/// Which events a listener has to bring; nothing: no flow log is wanted.
[[nodiscard]] std::optional<conntrack::WantedEnds> wanted_ends(const config::FlowLog& settings);

struct FlowLogCounts {
    std::map<std::optional<EndReason>, std::uint64_t> ended;  ///< flows that a record was made of
    std::uint64_t events_lost = 0;                            ///< by the kernel, for want of room in the socket
    std::uint64_t dropped = 0;  ///< flows for which there was no room on their way to the records
    std::vector<std::pair<std::string, SinkCounts>> sinks;  ///< by unique names, in the configuration's order
};

/// Thread-safe.
class FlowLog {
  public:
    /// Nothing is opened, and no thread begun, before open() or a first record.
    FlowLog(const config::FlowLog& settings, StandardOutput output, Teller tell);

    /// Writes what is under way, for some seconds.
    ~FlowLog();
    FlowLog(const FlowLog&) = delete;
    FlowLog& operator=(const FlowLog&) = delete;

    /// Opens the sinks before there is a record, so that a fault shows at once.
    void open();

    /// From now on with these settings. Sinks that stay as they were keep what waits for them.
    void configure(const config::FlowLog& settings);

    /// Files may have been moved away.
    void reopen();

    /// Events as a listener received them.
    void take(ReceivedEvents received);

    /// Flows whose end is known otherwise.
    void take(std::vector<EndedFlow> ended, std::shared_ptr<const RecordTicket> ticket = nullptr);

    /// Events that the kernel threw away.
    void take(LostFlows lost);

    /// Whether there is a sink that this process writes to.
    [[nodiscard]] bool has_sinks() const;

    [[nodiscard]] const RecentEnds& recent() const noexcept;

    /// Those who look on are not to wait any longer.
    void end_looking_on();

    [[nodiscard]] FlowLogCounts counts() const;

    /// What came so far is written, for so long at most; what still waits then is dropped and told.
    void finish(std::chrono::milliseconds at_most);

  private:
    class Worker;
    std::unique_ptr<Worker> worker_;
};

}  // namespace headgate::flowlog
