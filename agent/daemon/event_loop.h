// SPDX-License-Identifier: GPL-2.0-or-later
// An event loop: waits for file descriptors, timers, signals and actions posted by other threads, and sleeps in
// between. It never wakes up without a reason.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::daemon {

/// Blocks SIGHUP, SIGINT and SIGTERM in the calling thread and in threads that it starts later, so that only the loop
/// receives them. Must be called before the first thread is started.
[[nodiscard]] Result<void> block_signals();

/// All actions run on the thread that runs the loop, one after the other, and must not block. They may call watch,
/// cancel, post and stop; their exceptions are logged. Only post() and stop() are thread-safe.
class EventLoop {
  public:
    using Clock = std::chrono::steady_clock;
    using Action = std::function<void()>;

    /// Identifies a watch or a timer. Never reused.
    using Id = std::uint64_t;

    [[nodiscard]] static Result<std::unique_ptr<EventLoop>> open();

    /// Calls `readable` while the descriptor is readable or has an error or a hang-up. The descriptor must stay open
    /// until the watch is cancelled.
    Id watch(int fd, Action readable);

    /// Calls `action` once, after `delay`.
    Id after(Clock::duration delay, Action action);

    /// Calls `action` once per period. Missed periods are skipped.
    Id every(Clock::duration period, Action action);

    /// Ends a watch or a timer. No error if it has already ended.
    void cancel(Id id);

    /// Calls `handler` for each signal that block_signals() blocks. At most once per loop.
    [[nodiscard]] Result<void> handle_signals(std::function<void(int signal)> handler);

    /// Calls `action` on the loop's thread, in order per posting thread. Actions posted after the loop has stopped are
    /// never called.
    void post(Action action);

    /// Makes run() return as soon as the current action has returned; no further action is called.
    void stop() noexcept;

    /// Runs until stop(). Fails if a watched descriptor is not open or if ppoll(2) fails.
    [[nodiscard]] Result<void> run();

  private:
    /// Shared, because an action may cancel itself while it is called.
    using SharedAction = std::shared_ptr<const Action>;

    struct Watch {
        Id id = 0;
        int fd = -1;
        SharedAction readable;
    };
    struct Timer {
        Id id = 0;
        Clock::time_point due;
        std::optional<Clock::duration> period;  ///< absent: runs once
        SharedAction action;
    };

    explicit EventLoop(FileDescriptor wake) : wake_(std::move(wake)) {}

    void wake() const noexcept;
    Id add_timer(Clock::duration delay, std::optional<Clock::duration> period, Action action);
    [[nodiscard]] Result<void> wait();
    void run_due_timers();
    [[nodiscard]] SharedAction pop_due(Clock::time_point now);
    [[nodiscard]] Result<void> call_ready_watches();
    void run_posted();
    static void call(const Action& action);
    void read_signals(const std::function<void(int)>& handler) const;

    FileDescriptor wake_;  ///< an eventfd
    FileDescriptor signals_;
    std::vector<Watch> watches_;
    std::vector<Timer> timers_;
    std::vector<pollfd> polled_;  ///< results of wait(), parallel to polled_ids_
    std::vector<Id> polled_ids_;
    Id last_id_ = 0;
    std::atomic<bool> stopping_ = false;

    std::mutex posting_;
    std::vector<Action> posted_;  ///< guarded by `posting_`
};

}  // namespace headgate::daemon
