// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/coalesced_count.h"

#include <algorithm>
#include <memory>

namespace headgate::gateway {

Result<TableStatistics> CoalescedCount::take(const Endpoint& endpoint,
                                             const std::function<Result<TableStatistics>()>& count) {
    std::promise<Result<TableStatistics>> promise;
    {
        std::unique_lock lock{mutex_};
        const auto known = std::ranges::find(pending_, endpoint, &std::pair<Endpoint, Pending>::first);
        if (known != pending_.end()) {
            const auto pending = known->second;
            lock.unlock();
            return pending.get();
        }
        pending_.emplace_back(endpoint, promise.get_future().share());
    }
    const auto forget = [&](void*) {
        const std::lock_guard lock{mutex_};
        std::erase_if(pending_, [&](const auto& each) { return each.first == endpoint; });
    };
    const std::unique_ptr<void, decltype(forget)> at_end{this, forget};
    auto counted = count();
    promise.set_value(counted);
    return counted;
}

}  // namespace headgate::gateway
