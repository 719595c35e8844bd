// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/flow_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <variant>

#include "flow/flow_json.h"
#include "flowlog/ended_flow_filter.h"
#include "flowlog/record_format.h"
#include "threads/start_thread.h"

namespace headgate::flowlog {
namespace {

using namespace std::chrono_literals;

/// Limit of bytes queued for conversion to records: some 200,000 events.
constexpr std::size_t kRoom = 64U << 20U;
constexpr auto kFarewell = 5s;

struct KnownEnds {
    std::vector<EndedFlow> flows;
    std::shared_ptr<const UnwrittenMark> mark;
};

using Item = std::variant<ReceivedEvents, KnownEnds, LostFlows>;

struct Waiting {
    Item item;
    std::size_t bytes = 0;
    std::uint64_t flows = 0;
};

}  // namespace

std::optional<conntrack::WantedEnds> wanted_ends(const config::FlowLog& settings) {
    if (settings.sinks.empty()) return std::nullopt;
    const auto reasons = filter_of(settings).reasons;
    const bool all = reasons.empty();
    const bool by_kernel = std::ranges::any_of(reasons, [](auto each) { return each != EndReason::Flushed; });
    return conntrack::WantedEnds{all || by_kernel,
                                 all || std::ranges::find(reasons, EndReason::Flushed) != reasons.end()};
}

class FlowLog::Worker {
  public:
    Worker(config::FlowLog settings, StandardOutput output, LogCallback tell)
        : tell_(std::move(tell)),
          settings_(std::move(settings)),
          wanted_(filter_of(settings_)),
          sinks_(output, tell_) {}

    ~Worker() {
        finish(kFarewell);
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void open() {
        const std::lock_guard lock{output_};
        if (!format_) static_cast<void>(open_sinks());  // returns no removed sinks: none were open
    }

    void configure(const config::FlowLog& settings) {
        std::vector<std::unique_ptr<SinkQueue>> removed;
        {
            const std::lock_guard lock{output_};
            settings_ = settings;
            wanted_ = filter_of(settings_);
            if (format_) removed = open_sinks();
        }
        if (removed.empty()) return;
        const auto leaving = std::make_shared<std::vector<std::unique_ptr<SinkQueue>>>(std::move(removed));
        auto farewell = start_thread(
            "sinks that were removed", [leaving] { take_leave(*leaving); }, [](const Error&) {});
        if (farewell)
            farewell_ = std::move(*farewell);
        else
            take_leave(*leaving);
    }

    void reopen() {
        const std::lock_guard lock{output_};
        sinks_.reopen();
    }

    void take(Waiting waiting) {
        const std::lock_guard lock{mutex_};
        start_if_needed();
        const auto bytes = waiting.bytes;
        queue_.push_back(std::move(waiting));
        bytes_ += bytes;
        while (bytes_ > kRoom && queue_.size() > 1)
            drop_oldest();
        changed_.notify_all();
    }

    [[nodiscard]] bool has_sinks() const {
        const std::lock_guard lock{output_};
        return std::ranges::any_of(settings_.sinks, [this](const auto& each) { return sinks_.takes(each); });
    }

    [[nodiscard]] RecentFlowBuffer& recent() noexcept { return recent_; }

    [[nodiscard]] FlowLogCounts counts() const {
        const std::lock_guard lock{output_};
        auto counts = counts_;
        counts.sinks = sinks_.counts();
        return counts;
    }

    void finish(std::chrono::milliseconds at_most) {
        const auto deadline = std::chrono::steady_clock::now() + at_most;
        {
            std::unique_lock lock{mutex_};
            changed_.wait_until(lock, deadline,
                                [this] { return (queue_.empty() && !is_busy_) || !thread_.joinable(); });
        }
        const std::lock_guard lock{output_};
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        sinks_.finish(std::max(left, 0ms));
    }

  private:
    void drop_oldest() {
        auto& oldest = queue_.front();
        bytes_ -= oldest.bytes;
        dropped_ += oldest.flows;
        queue_.pop_front();
    }

    /// If no thread can be started, events stay queued, and what exceeds the limit is dropped.
    void start_if_needed() {
        if (thread_.joinable()) return;
        auto started = start_thread(
            "the flow log", [this] { run(); }, [](const Error&) {});
        if (started)
            thread_ = std::move(*started);
        else if (!std::exchange(has_told_no_thread_, true))
            tell_("flow log: " + started.error().message);
    }

    void run() {
        std::unique_lock lock{mutex_};
        for (;;) {
            is_busy_ = false;
            changed_.notify_all();
            changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            is_busy_ = true;
            auto next = std::move(queue_.front());
            queue_.pop_front();
            bytes_ -= next.bytes;
            const auto dropped = std::exchange(dropped_, 0);
            const bool is_last = queue_.empty();
            lock.unlock();
            const auto done = guarded([&]() -> Result<void> {
                process(std::move(next.item), dropped);
                if (is_last) push();
                return {};
            });
            if (!done) drop_unended_line();
            lock.lock();
            if (!done) dropped_ += dropped + next.flows;  // an upper bound: some may have been written
        }
    }

    void process(Item item, std::uint64_t dropped) {
        const std::lock_guard lock{output_};
        if (!format_) static_cast<void>(open_sinks());
        if (dropped != 0) {
            counts_.dropped += dropped;
            note({nullptr, dropped, now(), now(), "there were more than headgate could make records of"});
        }
        std::visit([this](auto& each) { add(each); }, item);
        if (block_->bytes() >= LineBlock::kFull) push_block();
    }

    void drop_unended_line() {
        const std::lock_guard lock{output_};
        block_->drop_unended();
    }

    void push() {
        const std::lock_guard lock{output_};
        if (block_->count() != 0) push_block();
    }

    [[nodiscard]] std::vector<std::unique_ptr<SinkQueue>> open_sinks() {
        format_ = make_format(settings_.format);
        return sinks_.configure(settings_);
    }

    /// The queues drain concurrently: each has its own thread.
    static void take_leave(const std::vector<std::unique_ptr<SinkQueue>>& queues) {
        const auto deadline = std::chrono::steady_clock::now() + kFarewell;
        for (const auto& each : queues) {
            const auto left = deadline - std::chrono::steady_clock::now();
            each->finish(std::max(0ms, std::chrono::duration_cast<std::chrono::milliseconds>(left)));
        }
    }

    void add(const ReceivedEvents& received) {
        std::vector<EndedFlow> ended;
        ended.reserve(received.events->count());
        if (const auto unreadable = read_events(received, ended); unreadable != 0) {
            note({nullptr, unreadable, now(), now(), "the kernel's events could not be read"});
        }
        add(std::move(ended), nullptr);
    }

    void add(KnownEnds& known) { add(std::move(known.flows), known.mark); }

    void add(std::vector<EndedFlow> ended, const std::shared_ptr<const UnwrittenMark>& mark) {
        std::erase_if(ended, [this](const EndedFlow& each) { return !wanted_.matches(each); });
        for (const auto& each : ended) {
            ++counts_.ended[each.reason];
            format_->append(*block_, each);
            block_->keep(mark);
            if (block_->bytes() >= LineBlock::kFull) push_block();
        }
        recent_.add(std::move(ended));
    }

    void add(const LostFlows& lost) {
        counts_.events_lost += lost.count;
        note(lost);
    }

    void note(const LostFlows& lost) {
        tell_(fmt::format("flow log: {} flows ended between {} and {} without a record: {}", lost.count,
                          to_rfc3339(lost.since), to_rfc3339(lost.until), lost.cause));
        format_->append(*block_, lost);
    }

    void push_block() { sinks_.push(std::exchange(block_, std::make_shared<LineBlock>())); }

    static Timestamp now() {
        return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
    }

    const LogCallback tell_;
    RecentFlowBuffer recent_;

    std::mutex mutex_;  ///< guards the queue
    std::condition_variable changed_;
    std::deque<Waiting> queue_;
    std::size_t bytes_ = 0;      ///< of the queued items
    std::uint64_t dropped_ = 0;  ///< flows not reported yet
    bool is_busy_ = false;
    bool stopping_ = false;
    bool has_told_no_thread_ = false;
    std::jthread thread_;  ///< started with the first item

    mutable std::mutex output_;  ///< guards what follows; held for one item at a time
    config::FlowLog settings_;
    EndedFlowFilter wanted_;                ///< by the settings
    std::unique_ptr<RecordFormat> format_;  ///< null until the sinks are open
    SinkSet sinks_;
    std::shared_ptr<LineBlock> block_ = std::make_shared<LineBlock>();
    FlowLogCounts counts_;

    std::jthread farewell_;  ///< drains the queues of removed sinks
};

FlowLog::FlowLog(const config::FlowLog& settings, StandardOutput output, LogCallback tell)
    : worker_(std::make_unique<Worker>(settings, output, std::move(tell))) {}

FlowLog::~FlowLog() = default;

void FlowLog::open() {
    worker_->open();
}

void FlowLog::configure(const config::FlowLog& settings) {
    worker_->configure(settings);
}

void FlowLog::reopen() {
    worker_->reopen();
}

void FlowLog::take(ReceivedEvents received) {
    const auto bytes = received.events->memory();
    const auto flows = received.events->count();
    worker_->take({std::move(received), bytes, flows});
}

void FlowLog::take(std::vector<EndedFlow> ended, std::shared_ptr<const UnwrittenMark> mark) {
    const auto flows = ended.size();
    worker_->take({KnownEnds{std::move(ended), std::move(mark)}, flows * sizeof(EndedFlow), flows});
}

void FlowLog::take(LostFlows lost) {
    const auto flows = lost.count;
    worker_->take({std::move(lost), sizeof(LostFlows), flows});
}

bool FlowLog::has_sinks() const {
    return worker_->has_sinks();
}

const RecentFlowBuffer& FlowLog::recent() const noexcept {
    return worker_->recent();
}

void FlowLog::end_looking_on() {
    worker_->recent().close();
}

FlowLogCounts FlowLog::counts() const {
    return worker_->counts();
}

void FlowLog::finish(std::chrono::milliseconds at_most) {
    worker_->finish(at_most);
}

}  // namespace headgate::flowlog
