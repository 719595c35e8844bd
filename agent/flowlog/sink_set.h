// The sinks of a configuration, each behind its queue.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/configuration.h"
#include "flowlog/sink_queue.h"

namespace headgate::flowlog {

/// Whether records may go to standard output: where a command prints its result they may not.
enum class StandardOutput : std::uint8_t { ForRecords, ForOthers };

/// Not thread-safe.
class SinkSet {
  public:
    SinkSet(StandardOutput output, Teller tell) : output_(output), tell_(std::move(tell)) {}

    /// Whether there would be a queue for this one.
    [[nodiscard]] bool takes(const config::FlowLogSink& sink) const {
        return !sink.standard_output || output_ == StandardOutput::ForRecords;
    }

    /// From now on these. Those that stay keep what waits for them; the others are returned, with what waits for them.
    [[nodiscard]] std::vector<std::unique_ptr<SinkQueue>> configure(const config::FlowLog& settings);

    void push(const std::shared_ptr<const LineBlock>& block);
    void reopen();

    /// By name, in the configuration's order.
    [[nodiscard]] std::vector<std::pair<std::string, SinkCounts>> counts() const;

    /// All at once, for so long at most.
    void finish(std::chrono::milliseconds at_most);

  private:
    struct Member {
        config::FlowLogSink settings;
        std::string name;
        std::unique_ptr<SinkQueue> queue;
    };
    [[nodiscard]] Member make(const config::FlowLogSink& settings, std::uint64_t room, std::string name) const;

    StandardOutput output_;
    Teller tell_;
    std::vector<Member> members_;
};

}  // namespace headgate::flowlog
