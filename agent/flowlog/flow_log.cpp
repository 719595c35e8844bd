// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/flow_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "headgate/clock.h"

#include "flow/flow_json.h"
#include "threads/start_thread.h"

namespace headgate::flowlog {
namespace {

using namespace std::chrono_literals;

/// Limit of bytes queued for conversion to records: some 200,000 events.
constexpr std::size_t kRoom = 64U << 20U;
constexpr auto kFarewell = 5s;

}  // namespace

std::optional<conntrack::WantedEnds> wanted_ends(const config::FlowLog& settings) {
    if (settings.sinks.empty()) return std::nullopt;
    const auto reasons = filter_of(settings).reasons;
    const bool all = reasons.empty();
    const bool by_kernel = std::ranges::any_of(reasons, [](auto each) { return each != EndReason::Flushed; });
    return conntrack::WantedEnds{all || by_kernel,
                                 all || std::ranges::find(reasons, EndReason::Flushed) != reasons.end()};
}

FlowLog::FlowLog(config::FlowLog settings, StandardOutput output, LogCallback report,
                 std::shared_ptr<conntrack::ExpiredFlows> expired)
    : report_(std::move(report)),
      expired_(std::move(expired)),
      settings_(std::move(settings)),
      wanted_(filter_of(settings_)),
      sinks_(output, report_) {
    expect_events();
}

/// Without a listener to events of the kernel, expired flows need not be noted.
void FlowLog::expect_events() const {
    if (!expired_) return;
    const auto wanted = wanted_ends(settings_);
    expired_->expect(wanted && wanted->by_kernel);
}

FlowLog::~FlowLog() {
    finish(kFarewell);
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void FlowLog::open() {
    const std::lock_guard lock{output_};
    if (!format_) static_cast<void>(open_sinks());  // returns no removed sinks: none were open
}

void FlowLog::configure(const config::FlowLog& settings) {
    std::shared_ptr<SinkSet> removed;
    {
        const std::lock_guard lock{output_};
        settings_ = settings;
        wanted_ = filter_of(settings_);
        expect_events();
        if (format_) removed = std::make_shared<SinkSet>(open_sinks());
    }
    if (!removed || removed->is_empty()) return;
    auto farewell = start_thread(
        "sinks that were removed", [removed] { removed->finish(kFarewell); }, [](const Error&) {});
    if (farewell)
        farewell_ = std::move(*farewell);
    else
        removed->finish(kFarewell);
}

void FlowLog::reopen() {
    const std::lock_guard lock{output_};
    sinks_.reopen();
}

void FlowLog::enqueue(ReceivedEvents received) {
    const auto bytes = received.events->memory();
    const auto flows = received.events->count();
    enqueue(Waiting{std::move(received), bytes, flows});
}

void FlowLog::enqueue(std::vector<EndedFlow> ended, std::shared_ptr<const UnwrittenMark> mark) {
    const auto flows = ended.size();
    enqueue(Waiting{KnownEnds{std::move(ended), std::move(mark)}, flows * sizeof(EndedFlow), flows});
}

void FlowLog::enqueue(LostFlows lost) {
    const auto flows = lost.count;
    enqueue(Waiting{std::move(lost), sizeof(LostFlows), flows});
}

void FlowLog::enqueue(Waiting waiting) {
    const std::lock_guard lock{mutex_};
    start_if_needed();
    const auto bytes = waiting.bytes;
    queue_.push_back(std::move(waiting));
    bytes_ += bytes;
    while (bytes_ > kRoom && queue_.size() > 1)
        drop_oldest();
    changed_.notify_all();
}

bool FlowLog::has_sinks() const {
    const std::lock_guard lock{output_};
    return std::ranges::any_of(settings_.sinks, [this](const auto& each) { return sinks_.accepts(each); });
}

FlowLogCounts FlowLog::counts() const {
    const std::lock_guard lock{output_};
    auto counts = counts_;
    counts.sinks = sinks_.counts();
    return counts;
}

void FlowLog::finish(std::chrono::milliseconds at_most) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    {
        std::unique_lock lock{mutex_};
        changed_.wait_until(lock, deadline, [this] { return (queue_.empty() && !is_busy_) || !thread_.joinable(); });
    }
    const std::lock_guard lock{output_};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    sinks_.finish(std::max(left, 0ms));
}

void FlowLog::drop_oldest() {
    auto& oldest = queue_.front();
    bytes_ -= oldest.bytes;
    dropped_ += oldest.flows;
    queue_.pop_front();
}

/// If no thread can be started, events stay queued, and what exceeds the limit is dropped.
void FlowLog::start_if_needed() {
    if (thread_.joinable()) return;
    auto started = start_thread(
        "the flow log", [this] { run(); }, [](const Error&) {});
    if (started)
        thread_ = std::move(*started);
    else if (!std::exchange(has_reported_no_thread_, true))
        report_("flow log: " + started.error().message);
}

void FlowLog::run() {
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
        const auto done = guarded([&] {
            process(std::move(next.item), dropped);
            if (is_last) push();
        });
        if (!done) drop_unended_line();
        lock.lock();
        if (!done) dropped_ += dropped + next.flows;  // an upper bound: some may have been written
    }
}

void FlowLog::process(Item item, std::uint64_t dropped) {
    const std::lock_guard lock{output_};
    if (!format_) static_cast<void>(open_sinks());
    if (dropped != 0) {
        counts_.dropped += dropped;
        note({nullptr, dropped, kSystemClock.now(), kSystemClock.now(),
              "there were more than headgate could make records of"});
    }
    std::visit([this](auto& each) { add(each); }, item);
    if (block_->bytes() >= LineBlock::kFull) push_block();
}

void FlowLog::drop_unended_line() {
    const std::lock_guard lock{output_};
    block_->drop_unended();
}

void FlowLog::push() {
    const std::lock_guard lock{output_};
    if (block_->count() != 0) push_block();
}

SinkSet FlowLog::open_sinks() {
    format_ = make_format(settings_.format);
    return sinks_.configure(settings_);
}

void FlowLog::add(const ReceivedEvents& received) {
    std::vector<EndedFlow> ended;
    ended.reserve(received.events->count());
    if (const auto unreadable = read_events(received, expired_.get(), ended); unreadable != 0) {
        note({nullptr, unreadable, kSystemClock.now(), kSystemClock.now(), "the kernel's events could not be read"});
    }
    add(std::move(ended), nullptr);
}

void FlowLog::add(KnownEnds& known) {
    add(std::move(known.flows), known.mark);
}

void FlowLog::add(std::vector<EndedFlow> ended, const std::shared_ptr<const UnwrittenMark>& mark) {
    std::erase_if(ended, [this](const EndedFlow& each) { return !wanted_.matches(each); });
    for (const auto& each : ended) {
        ++counts_.ended[each.reason];
        format_->append(*block_, each);
        block_->keep(mark);
        if (block_->bytes() >= LineBlock::kFull) push_block();
    }
    recent_.add(std::move(ended));
}

void FlowLog::add(const LostFlows& lost) {
    counts_.events_lost += lost.count;
    note(lost);
}

void FlowLog::note(const LostFlows& lost) {
    report_(fmt::format("flow log: {} flows ended between {} and {} without a record: {}", lost.count,
                        to_rfc3339(lost.since), to_rfc3339(lost.until), lost.cause));
    format_->append(*block_, lost);
}

void FlowLog::push_block() {
    sinks_.push(std::exchange(block_, std::make_shared<LineBlock>()));
}

}  // namespace headgate::flowlog
