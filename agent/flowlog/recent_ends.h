// The flows that ended last, for those who look on.
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

/// Thread-safe. Whoever looks on is never waited for: one who is too slow misses flows, and is told how many.
class RecentEnds {
  public:
    static constexpr std::size_t kKept = 5000;  ///< more than a flush tells at once

    using Batch = std::vector<EndedFlow>;

    /// All who look on share the batches. Whoever has a part keeps its batch in memory: nobody does while they wait for
    /// a reader.
    struct Part {
        std::shared_ptr<const Batch> batch;  ///< null where there are no flows
        std::span<const EndedFlow> flows;    ///< of it, in the order in which headgate learned of them
        std::uint64_t first = 0;             ///< the position of the first one
        std::uint64_t missed = 0;            ///< flows before these that are no longer kept

        [[nodiscard]] std::uint64_t next() const { return first + flows.size(); }  ///< where to go on
    };

    void add(Batch ended);

    /// Nobody is to wait for more from now on.
    void close();
    [[nodiscard]] bool is_closed() const;

    /// The position behind the last one.
    [[nodiscard]] std::uint64_t end() const;

    /// Those from `position` on, as far as they were added together. Where there are none, waits for one, for so long.
    [[nodiscard]] Part from(std::uint64_t position, std::chrono::milliseconds at_most) const;

  private:
    struct Kept {
        std::uint64_t first = 0;  ///< position of its first flow
        std::shared_ptr<const Batch> flows;
    };

    mutable std::mutex mutex_;
    mutable std::condition_variable added_;
    std::deque<Kept> batches_;  ///< as they were added
    std::uint64_t end_ = 0;
    bool is_closed_ = false;
};

}  // namespace headgate::flowlog
