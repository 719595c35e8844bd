// SPDX-License-Identifier: GPL-2.0-or-later
// The configured sinks, each with its queue.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/configuration.h"
#include "flowlog/sink_queue.h"

namespace headgate::flowlog {

/// Whether records may be written to standard output: not if a command prints its result there.
enum class StandardOutput : std::uint8_t { ForRecords, ForOthers };

/// Not thread-safe.
class SinkSet {
  public:
    SinkSet(StandardOutput output, LogCallback report) : output_(output), report_(std::move(report)) {}

    /// Whether configure() creates a queue for this sink.
    [[nodiscard]] bool accepts(const config::FlowLogSink& sink) const {
        return !sink.standard_output || output_ == StandardOutput::ForRecords;
    }

    /// Replaces the set. Sinks that stay keep their queues; the others are returned with theirs.
    [[nodiscard]] SinkSet configure(const config::FlowLog& settings);

    [[nodiscard]] bool is_empty() const { return members_.empty(); }

    void push(const std::shared_ptr<const LineBlock>& block);
    void reopen();

    /// By unique name, in the configuration's order.
    [[nodiscard]] std::vector<std::pair<std::string, SinkCounts>> counts() const;

    /// Drains all queues, for `at_most` in total.
    void finish(std::chrono::milliseconds at_most);

  private:
    struct Member {
        config::FlowLogSink settings;
        std::string name;
        std::unique_ptr<SinkQueue> queue;
    };
    [[nodiscard]] Member make(const config::FlowLogSink& settings, std::uint64_t room, std::string name) const;

    StandardOutput output_;
    LogCallback report_;
    std::vector<Member> members_;
};

}  // namespace headgate::flowlog
