// SPDX-License-Identifier: GPL-2.0-or-later
// A buffer of the flows that ended most recently, for clients that follow the log.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "headgate/ended_flow.h"

namespace headgate::flowlog {

/// Thread-safe. Writers never wait for a reader: a slow reader misses flows, and gets the number of missed ones.
class RecentFlowBuffer {
  public:
    static constexpr std::size_t kKept = 5000;  ///< flows; more than a flush adds at once

    using Batch = std::vector<EndedFlow>;

    /// Readers share the batches. A Part keeps its batch in memory, so release it before waiting for a client.
    struct Part {
        std::shared_ptr<const Batch> batch;  ///< null if there are no flows
        std::span<const EndedFlow> flows;    ///< part of the batch, in the order of arrival
        std::uint64_t first = 0;             ///< position of the first flow
        std::uint64_t missed = 0;            ///< flows before these that are no longer buffered

        [[nodiscard]] std::uint64_t next() const { return first + flows.size(); }  ///< position for the next call
    };

    void add(Batch ended);

    /// Wakes all readers; from() no longer waits.
    void close();
    [[nodiscard]] bool is_closed() const;

    /// The position after the last flow.
    [[nodiscard]] std::uint64_t end() const;

    /// The flows from `position` on, up to the end of one batch. If there are none, waits up to `at_most` for one.
    [[nodiscard]] Part from(std::uint64_t position, std::chrono::milliseconds at_most) const;

  private:
    struct Kept {
        std::uint64_t first = 0;
        std::shared_ptr<const Batch> flows;
    };

    mutable std::mutex mutex_;
    mutable std::condition_variable added_;
    std::deque<Kept> batches_;  ///< in the order of arrival
    std::uint64_t end_ = 0;
    bool is_closed_ = false;
};

}  // namespace headgate::flowlog
