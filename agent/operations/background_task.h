// One piece of work at a time, on a thread that lives as long as the work.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "headgate/result.h"

namespace headgate::operations {

/// Thread-safe.
class BackgroundTask {
  public:
    /// Looks at the token from time to time, and ends early when it says so.
    using Work = std::function<void(const std::stop_token&)>;

    using OnFault = std::function<void(const Error&)>;

    /// Exceptions of the work are told to on_fault, on the work's thread.
    explicit BackgroundTask(OnFault on_fault = [](const Error&) {}) : on_fault_(std::move(on_fault)) {}
    /// Asks the work to end early, and waits for that.
    ~BackgroundTask();
    BackgroundTask(const BackgroundTask&) = delete;
    BackgroundTask& operator=(const BackgroundTask&) = delete;

    /// Begins, or does nothing while what was begun before goes on. An error: there is no thread to be had.
    [[nodiscard]] Result<void> begin(Work work);

    /// Asks the work to end early, and does not wait for it. Nothing begins any more.
    void stop();

  private:
    const OnFault on_fault_;
    std::mutex mutex_;  ///< of the thread
    std::atomic<bool> is_running_ = false;
    bool is_stopped_ = false;
    std::jthread thread_;
};

}  // namespace headgate::operations
