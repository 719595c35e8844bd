// SPDX-License-Identifier: GPL-2.0-or-later
// Runs one piece of work at a time, on a thread that exists only while it runs.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "headgate/result.h"

namespace headgate {

/// Thread-safe.
class BackgroundTask {
  public:
    /// The work polls the token, and returns early when a stop is requested.
    using Work = std::function<void(const std::stop_token&)>;

    using OnFault = std::function<void(const Error&)>;

    /// `on_fault` receives exceptions of the work, on the work's thread.
    explicit BackgroundTask(OnFault on_fault = [](const Error&) {}) : on_fault_(std::move(on_fault)) {}
    /// Requests a stop and waits for the work to end.
    ~BackgroundTask();
    BackgroundTask(const BackgroundTask&) = delete;
    BackgroundTask& operator=(const BackgroundTask&) = delete;

    /// Starts the work; does nothing while earlier work still runs. An error: no thread could be created.
    [[nodiscard]] Result<void> begin(Work work);

    /// Requests a stop without waiting; no work can be started afterwards.
    void stop();

  private:
    const OnFault on_fault_;
    std::mutex mutex_;  ///< guards thread_
    std::atomic<bool> is_running_ = false;
    bool is_stopped_ = false;
    std::jthread thread_;
};

}  // namespace headgate
