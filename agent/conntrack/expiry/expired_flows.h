// SPDX-License-Identifier: GPL-2.0-or-later
// The flows that this process let expire. Their DESTROY events have port 0, as those of flows that end by themselves,
// so listeners recognize them by what identifies a flow.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <unordered_set>

#include "headgate/flow.h"

namespace headgate::conntrack {

/// Thread-safe.
class ExpiredFlows {
  public:
    /// To be made before flows expire. While it exists, no event is judged: that of a flow may arrive before the flow
    /// is noted.
    class Notes {
      public:
        explicit Notes(ExpiredFlows& flows) : flows_(flows), lock_(flows.mutex_) { flows.drop_old(); }
        void add(const Flow& flow) {
            if (flows_.are_expected_) flows_.recent_.insert(identity_of(flow));
        }

      private:
        ExpiredFlows& flows_;
        std::lock_guard<std::mutex> lock_;
    };

    /// Whether events are expected at all; if not, nothing is noted.
    void expect(bool events);

    /// Whether the flow of an event is one of them. If so, it is forgotten.
    [[nodiscard]] bool forget(const Flow& ended);

  private:
    using Identities = std::unordered_set<std::uint64_t>;

    [[nodiscard]] static std::uint64_t identity_of(const Flow& flow);
    void drop_old();

    std::mutex mutex_;
    bool are_expected_ = true;
    Identities recent_, older_;  ///< events that do not arrive soon were lost, or nobody listens
    std::chrono::steady_clock::time_point recent_since_;
};

}  // namespace headgate::conntrack
