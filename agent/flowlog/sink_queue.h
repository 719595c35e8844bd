// SPDX-License-Identifier: GPL-2.0-or-later
// The queue of a sink, and the thread that writes it to the sink. A slow or dead sink delays nothing but its own queue,
// whose oldest records are dropped when it is full.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "flowlog/line_block.h"
#include "flowlog/sinks/sink.h"

namespace headgate::flowlog {

struct SinkCounts {
    std::uint64_t written = 0;  ///< records, as are `dropped` and `waiting`
    std::uint64_t dropped = 0;  ///< no room, not written in time at exit, or too long
    std::string fault;          ///< why it cannot be written to; empty if it works
    std::uint64_t waiting = 0;  ///< still queued; the three counts add up to all pushed records

    friend bool operator==(const SinkCounts&, const SinkCounts&) = default;
};

/// Callback for messages to the operator: faults, drops, and their end. Called from any thread.
using LogCallback = std::function<void(std::string_view message)>;

struct SinkPace {
    std::chrono::milliseconds retry = std::chrono::seconds{1};    ///< delay after a fault
    std::chrono::milliseconds report = std::chrono::seconds{10};  ///< minimum time between two messages of one kind
    /// A sink that does not return within this time is considered down. Sinks limit their own waiting to a second, but
    /// write(2) to a file on an unreachable server can block forever.
    std::chrono::milliseconds patience = std::chrono::seconds{3};
};

/// Thread-safe.
class SinkQueue {
  public:
    /// `room`: limit of queued bytes, besides the block being written; one block may always wait. `name`: the sink's
    /// name in messages.
    SinkQueue(std::string name, std::unique_ptr<Sink> sink, std::size_t room, LogCallback report, SinkPace pace = {});

    /// Drops what still waits. Takes `patience` at most: if the sink never returns, it is abandoned together with its
    /// thread.
    ~SinkQueue();
    SinkQueue(const SinkQueue&) = delete;
    SinkQueue& operator=(const SinkQueue&) = delete;

    /// Never blocks on the sink.
    void push(const std::shared_ptr<const LineBlock>& block);

    /// Changes the constructor's `room`.
    void resize(std::size_t room);

    /// Calls Sink::reopen() between two writes.
    void reopen();

    [[nodiscard]] SinkCounts counts() const;

    /// Writes what is queued, for `at_most`, plus up to `patience` for the sink to return. What remains is dropped,
    /// counted and reported.
    void finish(std::chrono::milliseconds at_most);

  private:
    class Worker;
    std::shared_ptr<Worker> worker_;
};

}  // namespace headgate::flowlog
