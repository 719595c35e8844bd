// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sink_queue.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "flowlog/sink_reporter.h"
#include "threads/start_thread.h"

namespace headgate::flowlog {
namespace {

using Clock = std::chrono::steady_clock;
using Block = std::shared_ptr<const LineBlock>;

}  // namespace

/// The mutex is not held during calls of the sink or the callback, nor, except in finish() and stop(), while blocks are
/// freed. The thread shares ownership: if the sink never returns, no other thread waits for it.
class SinkQueue::Worker : public std::enable_shared_from_this<SinkQueue::Worker> {
  public:
    Worker(std::string name, std::unique_ptr<Sink> sink, std::size_t room, LogCallback report, SinkPace pace)
        : sink_(std::move(sink)),
          room_(room),
          report_(std::move(report)),
          pace_(pace),
          reporter_(std::move(name), pace.report) {}

    /// Later calls try again if the thread cannot be started.
    void start() {
        const std::lock_guard lock{mutex_};
        start_if_needed();
    }

    /// Called last. A thread that does not return from the sink is detached, with the block that it is writing.
    void stop() {
        std::unique_lock lock{mutex_};
        is_stopping_ = true;
        woken_.notify_one();
        const bool has_ended =
            !thread_.joinable() || progress_.wait_for(lock, pace_.patience, [this] { return has_ended_; });
        give_up(lock);
        is_abandoned_ = !has_ended;
        lock.unlock();
        if (!has_ended) thread_.detach();
        if (thread_.joinable()) thread_.join();
    }

    void push(const Block& block) {
        if (block->count() == 0) return;
        std::vector<Block> dropped;
        {
            std::unique_lock lock{mutex_};
            waiting_.push_back(block);
            counts_.waiting += block->count();
            bytes_ += block->bytes();
            start_if_needed();
            dropped = drop_oldest();
            if (is_held_up()) report_held_up(lock);
        }
        woken_.notify_one();
    }

    void resize(std::size_t room) {
        std::vector<Block> dropped;
        const std::lock_guard lock{mutex_};
        room_ = room;
        dropped = drop_oldest();
    }

    void reopen() {
        {
            const std::lock_guard lock{mutex_};
            is_reopening_ = true;
            retry_at_ = {};
        }
        woken_.notify_one();
    }

    [[nodiscard]] SinkCounts counts() const {
        const std::lock_guard lock{mutex_};
        auto counts = counts_;
        if (is_held_up()) counts.fault = held_up().message;
        return counts;
    }

    void finish(std::chrono::milliseconds at_most) {
        std::unique_lock lock{mutex_};
        retry_at_ = {};
        start_if_needed();
        woken_.notify_one();
        progress_.wait_for(lock, at_most, [this] { return counts_.waiting == 0 || !thread_.joinable(); });
        is_giving_up_ = true;
        progress_.wait_for(lock, pace_.patience, [this] { return !is_in_sink_; });
        is_giving_up_ = false;
        give_up(lock);
    }

  private:
    /// If no thread can be started, blocks stay queued, and the oldest are dropped when the queue is full.
    void start_if_needed() {
        if (thread_.joinable()) return;
        auto started = start_thread(
            "a sink of the flow log", [self = shared_from_this()] { self->run(); }, [](const Error&) {});
        if (started) {
            thread_ = std::move(*started);
            return;
        }
        counts_.fault = started.error().message;
        reporter_.failed(started.error(), counts_.waiting, Clock::now());
    }

    void run() {
        std::unique_lock lock{mutex_};
        while (!is_stopping_) {
            const auto done = guarded([&] { step(lock); });
            if (!done) recover(lock, done.error());
        }
        has_ended_ = true;
        progress_.notify_all();
    }

    void step(std::unique_lock<std::mutex>& lock) {
        if (std::exchange(is_reopening_, false)) {
            enter_sink(lock, [this] { sink_->reopen(); });
            is_prepared_ = false;
        } else if (!is_prepared_ && may_try()) {
            prepare(lock);
        } else if (is_prepared_ && counts_.waiting != 0 && may_try()) {
            write(lock);
        } else {
            sleep(lock);
        }
        log_reports(lock);
    }

    /// After an exception the current block is written again.
    void recover(std::unique_lock<std::mutex>& lock, const Error& fault) {
        if (!lock.owns_lock()) lock.lock();
        is_in_sink_ = false;
        retry_at_ = Clock::now() + pace_.retry;
        static_cast<void>(guarded([&] { fail(fault); }));
        progress_.notify_all();
    }

    [[nodiscard]] bool may_try() const { return !is_giving_up_ && Clock::now() >= retry_at_; }

    /// Blocks until the queue is changed, a retry is due or a message is due.
    void sleep(std::unique_lock<std::mutex>& lock) {
        const bool may_retry = (counts_.waiting != 0 || !is_prepared_) && !is_giving_up_;
        const auto until = std::min(may_retry ? retry_at_ : SinkReporter::kNever, reporter_.due());
        if (until == SinkReporter::kNever) {
            woken_.wait(lock);
        } else {
            woken_.wait_until(lock, until);
        }
    }

    template <typename Call>
    void enter_sink(std::unique_lock<std::mutex>& lock, const Call& call) {
        is_in_sink_ = true;
        entered_at_ = Clock::now();
        lock.unlock();
        call();
        lock.lock();
        is_in_sink_ = false;
        progress_.notify_all();
    }

    void prepare(std::unique_lock<std::mutex>& lock) {
        Result<void> prepared;
        enter_sink(lock, [&] { prepared = sink_->prepare(); });
        is_prepared_ = prepared.has_value();
        is_prepared_ ? works() : fail(prepared.error());
    }

    void write(std::unique_lock<std::mutex>& lock) {
        if (!current_) begin_next_block();
        Result<Written> written;
        enter_sink(lock, [&] {
            written = sink_->write(*current_, first_);
            if (written) first_ += written->lines + written->too_long;
            if (first_ >= current_->count()) current_.reset();
        });
        if (is_abandoned_) return;
        if (written) {
            count(*written);
        } else {
            fail(written.error());
        }
    }

    void begin_next_block() {
        current_ = std::move(waiting_.front());
        waiting_.pop_front();
        bytes_ -= current_->bytes();
        first_ = 0;
        in_hand_ = current_->count();
    }

    void count(const Written& written) {
        const auto done = written.lines + written.too_long;
        counts_.written += written.lines;
        counts_.dropped += written.too_long;
        counts_.waiting -= done;
        in_hand_ -= done;
        reporter_.too_long(written.too_long);
        if (!written.note.empty()) reporter_.note(written.note);
        if (written.lines != 0) works();
    }

    void works() {
        counts_.fault.clear();
        retry_at_ = {};
        reporter_.works();
    }

    void fail(const Error& error) {
        const auto now = Clock::now();
        counts_.fault = error.message;
        retry_at_ = now + pace_.retry;
        reporter_.failed(error, counts_.waiting, now);
    }

    [[nodiscard]] bool is_held_up() const { return is_in_sink_ && Clock::now() >= entered_at_ + pace_.patience; }

    [[nodiscard]] static Error held_up() { return {ErrorKind::TimedOut, "a write does not return"}; }

    /// Reported by the calling thread, because the queue's own thread is stuck.
    void report_held_up(std::unique_lock<std::mutex>& lock) {
        reporter_.failed(held_up(), counts_.waiting, Clock::now());
        log_reports(lock);
    }

    /// Never drops the block being written or the newest one.
    [[nodiscard]] std::vector<Block> drop_oldest() {
        std::vector<Block> dropped;
        while (bytes_ > room_ && waiting_.size() > 1) {
            const auto records = waiting_.front()->count();
            bytes_ -= waiting_.front()->bytes();
            counts_.waiting -= records;
            counts_.dropped += records;
            reporter_.no_room(records);
            dropped.push_back(std::move(waiting_.front()));
            waiting_.pop_front();
        }
        return dropped;
    }

    /// Drops everything that waits, except the block that the sink has not returned.
    void give_up(std::unique_lock<std::mutex>& lock) {
        const auto dropped = std::exchange(waiting_, {});
        const auto half_written = is_in_sink_ ? nullptr : std::exchange(current_, nullptr);
        for (const auto& each : dropped)
            each->give_up();
        if (half_written) half_written->give_up();
        bytes_ = 0;
        if (!is_in_sink_) in_hand_ = 0;
        const auto records = counts_.waiting - in_hand_;
        counts_.waiting = in_hand_;
        counts_.dropped += records;
        reporter_.given_up(records);
        if (is_held_up()) reporter_.failed(held_up(), in_hand_, Clock::now());
        log_reports(lock);
    }

    void log_reports(std::unique_lock<std::mutex>& lock) {
        const auto messages = is_abandoned_ ? std::vector<std::string>{} : reporter_.messages(Clock::now());
        if (messages.empty()) return;
        lock.unlock();
        for (const auto& message : messages)
            report_(message);
        lock.lock();
    }

    const std::unique_ptr<Sink> sink_;
    std::size_t room_;  ///< guarded by `mutex_`
    const LogCallback report_;
    const SinkPace pace_;

    mutable std::mutex mutex_;
    std::condition_variable woken_;     ///< wakes the thread
    std::condition_variable progress_;  ///< the sink has returned, or the thread has ended
    std::deque<Block> waiting_;         ///< after `current_`
    std::size_t bytes_ = 0;             ///< of the blocks in `waiting_`
    Block current_;              ///< used by the thread without the mutex while it is in the sink, as is `first_`
    std::size_t first_ = 0;      ///< the next line of `current_` to write
    std::uint64_t in_hand_ = 0;  ///< records of `current_` not written yet
    SinkCounts counts_;
    SinkReporter reporter_;
    Clock::time_point retry_at_;    ///< after a fault; otherwise in the past
    Clock::time_point entered_at_;  ///< when the thread called the sink
    bool is_in_sink_ = false;
    bool is_prepared_ = false;
    bool is_reopening_ = false;
    bool is_giving_up_ = false;
    bool is_stopping_ = false;
    bool has_ended_ = false;
    bool is_abandoned_ = false;

    std::jthread thread_;
};

SinkQueue::SinkQueue(std::string name, std::unique_ptr<Sink> sink, std::size_t room, LogCallback report, SinkPace pace)
    : worker_(std::make_shared<Worker>(std::move(name), std::move(sink), room, std::move(report), pace)) {
    worker_->start();
}

SinkQueue::~SinkQueue() {
    worker_->stop();
}

void SinkQueue::push(const std::shared_ptr<const LineBlock>& block) {
    worker_->push(block);
}

void SinkQueue::resize(std::size_t room) {
    worker_->resize(room);
}

void SinkQueue::reopen() {
    worker_->reopen();
}

SinkCounts SinkQueue::counts() const {
    return worker_->counts();
}

void SinkQueue::finish(std::chrono::milliseconds at_most) {
    worker_->finish(at_most);
}

}  // namespace headgate::flowlog
