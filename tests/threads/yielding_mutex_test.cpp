// SPDX-License-Identifier: GPL-2.0-or-later
// Workers acquire the mutex before the sweep does.
#include "operations/yielding_mutex.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace headgate::operations {
namespace yielding_mutex_test {

TEST(YieldingMutex, is_had_between_two_steps_by_all_who_wait) {
    YieldingMutex mutex;
    std::string turns;  // guarded by the mutex
    mutex.lock_last();
    std::vector<std::thread> workers;
    for (int i = 0; i < 3; ++i) {
        workers.emplace_back([&] {
            const std::lock_guard lock{mutex};
            turns += 'w';
        });
    }
    while (mutex.waiting() < 3)
        std::this_thread::yield();
    turns += 's';
    mutex.unlock();
    mutex.lock_last();  // immediately: without precedence of the workers, the sweep would usually win
    turns += 's';
    mutex.unlock();
    for (auto& each : workers)
        each.join();
    EXPECT_EQ(turns, "swwws");
}

TEST(YieldingMutex, is_not_waited_for_by_who_only_tries) {
    YieldingMutex mutex;
    {
        const LastLock held{mutex};
        EXPECT_FALSE(mutex.try_lock());
    }
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
}

}  // namespace yielding_mutex_test
}  // namespace headgate::operations
