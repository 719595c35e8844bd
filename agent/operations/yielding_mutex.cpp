// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/yielding_mutex.h"

namespace headgate::operations {

void YieldingMutex::lock() {
    std::unique_lock lock{mutex_};
    ++waiting_;
    changed_.wait(lock, [&] { return !is_held_; });
    --waiting_;
    is_held_ = true;
}

bool YieldingMutex::try_lock() {
    const std::lock_guard lock{mutex_};
    if (is_held_ || waiting_ != 0) return false;
    return is_held_ = true;
}

void YieldingMutex::lock_last() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return !is_held_ && waiting_ == 0; });
    is_held_ = true;
}

void YieldingMutex::unlock() {
    {
        const std::lock_guard lock{mutex_};
        is_held_ = false;
    }
    changed_.notify_all();
}

std::size_t YieldingMutex::waiting() const {
    const std::lock_guard lock{mutex_};
    return waiting_;
}

}  // namespace headgate::operations
