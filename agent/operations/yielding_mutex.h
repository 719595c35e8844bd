// A mutex for two kinds of holders: those who work, and one that does a long work in steps behind them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace headgate::operations {

/// Lockable, as std::mutex is; but who takes it by lock_last() gets it when nobody waits in lock(). So between two
/// steps of theirs, all who have come meanwhile have their turn.
class YieldingMutex {
  public:
    void lock();
    [[nodiscard]] bool try_lock();
    void lock_last();
    void unlock();

    /// How many wait in lock().
    [[nodiscard]] std::size_t waiting() const;

  private:
    mutable std::mutex mutex_;  ///< of all that follows
    std::condition_variable changed_;
    bool is_held_ = false;
    std::size_t waiting_ = 0;
};

/// Holds it behind all others.
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
