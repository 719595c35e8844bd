// What the agent's main thread does: wait until a file descriptor, a timer, a signal or another thread has something
// for it, and sleep in between. Nothing wakes it that nobody asked for.
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

/// Keeps SIGHUP, SIGINT and SIGTERM for the loop, in the calling thread and in those that are started from now on: to
/// be called before the first one is.
[[nodiscard]] Result<void> block_signals();

/// Everything is called on the thread that runs the loop, one after the other, and must not wait. What is called may
/// watch, cancel, post and stop as it likes; what it throws is logged. Only post() and stop() may be called from other
/// threads.
class EventLoop {
  public:
    using Clock = std::chrono::steady_clock;
    using Action = std::function<void()>;

    /// Of a watch or a timer. None is given twice.
    using Id = std::uint64_t;

    [[nodiscard]] static Result<std::unique_ptr<EventLoop>> open();

    /// Calls this whenever the descriptor is readable, or has an error or a hang-up, as long as it is. The descriptor
    /// stays open until the watch is cancelled.
    Id watch(int fd, Action readable);

    /// Calls this once, that long from now.
    Id after(Clock::duration delay, Action action);

    /// Calls this again and again. A period that was slept through is not made up for.
    Id every(Clock::duration period, Action action);

    /// Ends a watch or a timer; one that has ended is no error.
    void cancel(Id id);

    /// Calls this with each signal that block_signals() keeps. Once for a loop.
    [[nodiscard]] Result<void> handle_signals(std::function<void(int signal)> handler);

    /// Calls this soon; what one thread posts, in its order. What is posted when the loop has stopped is never called.
    void post(Action action);

    /// Calls nothing any more: run() comes back as soon as what is being called now has returned.
    void stop() noexcept;

    /// Until stop(). Fails where a watched descriptor is not open, or where the kernel cannot wait.
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
        std::optional<Clock::duration> period;  ///< absent: once
        SharedAction action;
    };

    explicit EventLoop(FileDescriptor wake) : wake_(std::move(wake)) {}

    void wake() const noexcept;
    Id add_timer(Clock::duration delay, std::optional<Clock::duration> period, Action action);
    [[nodiscard]] Result<void> wait();
    void run_due_timers();
    [[nodiscard]] SharedAction take_due(Clock::time_point now);
    [[nodiscard]] Result<void> call_ready_watches();
    void run_posted();
    static void call(const Action& action);
    void read_signals(const std::function<void(int)>& handler) const;

    FileDescriptor wake_;  ///< an eventfd
    FileDescriptor signals_;
    std::vector<Watch> watches_;
    std::vector<Timer> timers_;
    std::vector<pollfd> polled_;  ///< what wait() found, one for each of polled_ids_
    std::vector<Id> polled_ids_;
    Id last_id_ = 0;
    std::atomic<bool> stopping_ = false;

    std::mutex posting_;
    std::vector<Action> posted_;  ///< under posting_
};

}  // namespace headgate::daemon
