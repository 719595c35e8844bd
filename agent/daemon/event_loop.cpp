// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/event_loop.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>
#include <utility>

#include "daemon/log.h"
#include "threads/guarded.h"

namespace headgate::daemon {
namespace {

/// Pause after an allocation failure.
constexpr std::chrono::milliseconds kRecovery{100};

constexpr int kSignals[] = {SIGHUP, SIGINT, SIGTERM};

sigset_t kept_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : kSignals)
        sigaddset(&set, signal);
    return set;
}

bool all_are_blocked() {
    sigset_t blocked;
    sigemptyset(&blocked);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    return std::ranges::all_of(kSignals, [&](int signal) { return sigismember(&blocked, signal) == 1; });
}

timespec time_until(EventLoop::Clock::time_point due) {
    const auto left = std::max(due - EventLoop::Clock::now(), EventLoop::Clock::duration::zero());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    return {static_cast<time_t>(seconds.count()), static_cast<long>(std::chrono::nanoseconds{left - seconds}.count())};
}

}  // namespace

Result<void> block_signals() {
    const sigset_t set = kept_signals();
    const int number = ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    if (number != 0) return system_error(number, "blocking signals");
    return {};
}

Result<std::unique_ptr<EventLoop>> EventLoop::open() {
    FileDescriptor wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!wake.is_open()) return system_error(errno, "opening an eventfd");
    std::unique_ptr<EventLoop> loop{new EventLoop{std::move(wake)}};
    loop->watch(loop->wake_.get(), [raw = loop.get()] { raw->run_posted(); });
    return loop;
}

EventLoop::Id EventLoop::watch(int fd, Action readable) {
    watches_.push_back({++last_id_, fd, std::make_shared<const Action>(std::move(readable))});
    return last_id_;
}

EventLoop::Id EventLoop::add_timer(Clock::duration delay, std::optional<Clock::duration> period, Action action) {
    timers_.push_back({++last_id_, Clock::now() + delay, period, std::make_shared<const Action>(std::move(action))});
    return last_id_;
}

EventLoop::Id EventLoop::after(Clock::duration delay, Action action) {
    return add_timer(delay, std::nullopt, std::move(action));
}

EventLoop::Id EventLoop::every(Clock::duration period, Action action) {
    return add_timer(period, period, std::move(action));
}

void EventLoop::cancel(Id id) {
    std::erase_if(watches_, [id](const Watch& watch) { return watch.id == id; });
    std::erase_if(timers_, [id](const Timer& timer) { return timer.id == id; });
}

Result<void> EventLoop::handle_signals(std::function<void(int signal)> handler) {
    // A signal that is not blocked terminates the process even if a signalfd exists for it (signalfd(2)).
    if (!all_are_blocked()) return failed("handling signals: block_signals() has not been called");
    const sigset_t set = kept_signals();
    signals_ = FileDescriptor{::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!signals_.is_open()) return system_error(errno, "opening a signalfd");
    watch(signals_.get(), [this, kept = std::move(handler)] { read_signals(kept); });
    return {};
}

void EventLoop::read_signals(const std::function<void(int)>& handler) const {
    signalfd_siginfo info{};
    while (!stopping_ && ::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
        handler(static_cast<int>(info.ssi_signo));
}

void EventLoop::post(Action action) {
    {
        const std::lock_guard alone{posting_};
        posted_.push_back(std::move(action));
    }
    wake();
}

void EventLoop::stop() noexcept {
    stopping_ = true;
    wake();
}

/// An eventfd counts up to 2^64 - 2 before a write fails, and it is readable then anyway (eventfd(2)).
void EventLoop::wake() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

/// Actions posted meanwhile run in the next round, so that descriptors and timers get their turn.
void EventLoop::run_posted() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto size = ::read(wake_.get(), &count, sizeof count);
    std::vector<Action> actions;
    {
        const std::lock_guard alone{posting_};
        actions.swap(posted_);
    }
    for (const auto& action : actions) {
        if (stopping_) return;
        call(action);
    }
}

void EventLoop::call(const Action& action) {
    const auto done = guarded([&] { action(); });
    if (!done) log_fault(done.error());
}

Result<void> EventLoop::run() {
    while (!stopping_) {
        auto gone_on = guarded([&]() -> Result<void> {
            RETURN_IF_ERROR(wait());
            run_due_timers();
            return call_ready_watches();
        });
        if (gone_on) continue;
        if (gone_on.error().kind != ErrorKind::OutOfMemory) return gone_on;
        log_fault(gone_on.error());
        std::this_thread::sleep_for(kRecovery);
    }
    stopping_ = false;
    return {};
}

/// Waits until a descriptor is ready or the next timer is due. ppoll(2) waits with nanosecond precision: a timeout in
/// milliseconds would end too early and spin, or too late.
Result<void> EventLoop::wait() {
    polled_.clear();
    polled_ids_.clear();
    for (const auto& watch : watches_) {
        polled_.push_back({watch.fd, POLLIN, 0});
        polled_ids_.push_back(watch.id);
    }
    timespec left{};
    const auto next = std::ranges::min_element(timers_, {}, &Timer::due);
    if (next != timers_.end()) left = time_until(next->due);
    const timespec* const timeout = next == timers_.end() ? nullptr : &left;
    if (::ppoll(polled_.data(), polled_.size(), timeout, nullptr) >= 0) return {};
    if (errno != EINTR) return system_error(errno, "waiting for events");
    for (auto& each : polled_)
        each.revents = 0;
    return {};
}

/// Runs the timers that are due now, in order; timers added by them wait for the next round.
void EventLoop::run_due_timers() {
    const auto now = Clock::now();
    while (!stopping_) {
        const auto action = pop_due(now);
        if (!action) return;
        call(*action);
    }
}

EventLoop::SharedAction EventLoop::pop_due(Clock::time_point now) {
    const auto timer = std::ranges::min_element(timers_, {}, &Timer::due);
    if (timer == timers_.end() || timer->due > now) return nullptr;
    auto action = timer->action;
    if (timer->period) {
        timer->due += *timer->period;
        if (timer->due <= now) timer->due = now + *timer->period;
    } else {
        timers_.erase(timer);
    }
    return action;
}

Result<void> EventLoop::call_ready_watches() {
    for (std::size_t i = 0; i < polled_.size() && !stopping_; ++i) {
        if (polled_[i].revents == 0) continue;
        const auto watch = std::ranges::find(watches_, polled_ids_[i], &Watch::id);
        if (watch == watches_.end()) continue;  // cancelled by an action called before
        if ((polled_[i].revents & POLLNVAL) != 0) {
            return failed("waiting for events: descriptor {} is watched, but not open", watch->fd);
        }
        const auto action = watch->readable;
        call(*action);
    }
    return {};
}

}  // namespace headgate::daemon
