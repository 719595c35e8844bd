// What waits for a sink, and the thread that brings it there. A sink that is slow or dead holds up nothing but its own
// queue, of which the oldest records are dropped when it is full.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "flowlog/line_block.h"
#include "flowlog/sink.h"

namespace headgate::flowlog {

struct SinkCounts {
    std::uint64_t written = 0;  ///< records
    std::uint64_t dropped = 0;  ///< records for which there was no room, or no time at the end, or too long for it
    std::string fault;          ///< why it cannot be written to; empty: it can
    std::uint64_t waiting = 0;  ///< records that are neither: with them, all that were pushed

    friend bool operator==(const SinkCounts&, const SinkCounts&) = default;
};

/// Is told in a sentence what the operator should know: faults, drops, and that they are over. Any thread.
using Teller = std::function<void(std::string_view message)>;

struct SinkPace {
    std::chrono::milliseconds retry = std::chrono::seconds{1};  ///< after a fault
    std::chrono::milliseconds tell = std::chrono::seconds{10};  ///< between two messages of one kind
    /// A sink that has not come back after this is down: it waits for a second where it can, but write(2) to a file on
    /// a server that is gone knows no limit.
    std::chrono::milliseconds patience = std::chrono::seconds{3};
};

/// Thread-safe.
class SinkQueue {
  public:
    /// `room` is how many bytes may wait, beside the block that is being written; one block may wait in any case.
    /// `name` is what the sink is called in messages.
    SinkQueue(std::string name, std::unique_ptr<Sink> sink, std::size_t room, Teller tell, SinkPace pace = {});

    /// Drops what still waits. Takes no longer than `patience`: a sink that never comes back is left behind, with
    /// its thread.
    ~SinkQueue();
    SinkQueue(const SinkQueue&) = delete;
    SinkQueue& operator=(const SinkQueue&) = delete;

    /// Never waits for the sink.
    void push(const std::shared_ptr<const LineBlock>& block);

    /// As the constructor's `room`.
    void resize(std::size_t room);

    /// As Sink::reopen(), between two lines.
    void reopen();

    [[nodiscard]] SinkCounts counts() const;

    /// Lets it write what waits, for so long at most, and for `patience` come back. What then still waits is dropped,
    /// counted and told.
    void finish(std::chrono::milliseconds at_most);

  private:
    class Worker;
    std::shared_ptr<Worker> worker_;
};

}  // namespace headgate::flowlog
