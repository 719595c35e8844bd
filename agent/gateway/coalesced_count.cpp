// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/coalesced_count.h"

#include <memory>

namespace headgate::gateway {

Result<TableStatistics> CoalescedCount::run(const std::function<Result<TableStatistics>()>& count) {
    std::promise<Result<TableStatistics>> promise;
    {
        std::unique_lock lock{mutex_};
        if (const auto pending = pending_) {
            lock.unlock();
            return pending->get();
        }
        pending_ = promise.get_future().share();
    }
    const auto forget = [this](void*) {
        const std::lock_guard lock{mutex_};
        pending_.reset();
    };
    const std::unique_ptr<void, decltype(forget)> at_end{this, forget};
    auto counted = count();
    promise.set_value(counted);
    return counted;
}

}  // namespace headgate::gateway
