// The flows that ended last, for those who look on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "headgate/ended_flow.h"

namespace headgate::flowlog {

/// Thread-safe. Whoever looks on is never waited for: one who is too slow misses flows, and is told how many.
class RecentEnds {
  public:
    static constexpr std::size_t kKept = 5000;  ///< more than a flush tells at once

    struct Part {
        std::vector<EndedFlow> flows;  ///< in the order in which headgate learned of them
        std::uint64_t next = 0;        ///< where to go on
        std::uint64_t missed = 0;      ///< flows before these that are no longer kept
    };

    void add(std::vector<EndedFlow> ended);

    /// Nobody is to wait for more from now on.
    void close();
    [[nodiscard]] bool is_closed() const;

    /// Those from `position` on. Where there are none, waits for one, for so long.
    [[nodiscard]] Part from(std::uint64_t position, std::chrono::milliseconds at_most) const;

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable added_;
    std::deque<std::vector<EndedFlow>> batches_;  ///< as they were added: none is copied until somebody looks
    std::size_t count_ = 0;                       ///< of flows in them
    std::uint64_t end_ = 0;                       ///< the position behind the last one
    bool is_closed_ = false;
};

}  // namespace headgate::flowlog
