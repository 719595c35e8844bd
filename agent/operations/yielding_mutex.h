// SPDX-License-Identifier: GPL-2.0-or-later
// A mutex with two priorities: normal holders, and one that does long work in steps behind them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace headgate::operations {

/// Lockable, like std::mutex; but lock_last() acquires it only when no thread waits in lock(), so all waiters have
/// their turn between two steps.
class YieldingMutex {
  public:
    void lock();
    [[nodiscard]] bool try_lock();
    void lock_last();
    void unlock();

    /// Number of threads waiting in lock().
    [[nodiscard]] std::size_t waiting() const;

  private:
    mutable std::mutex mutex_;  ///< guards all members below
    std::condition_variable changed_;
    bool is_held_ = false;
    std::size_t waiting_ = 0;
};

/// Holds the mutex with low priority.
class LastLock {
  public:
    explicit LastLock(YieldingMutex& mutex) : mutex_(mutex) { mutex_.lock_last(); }
    ~LastLock() { mutex_.unlock(); }
    LastLock(const LastLock&) = delete;
    LastLock& operator=(const LastLock&) = delete;

  private:
    YieldingMutex& mutex_;
};

}  // namespace headgate::operations
