// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sink_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "flowlog/sinks/file_sink.h"
#include "support/line_blocks.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace sink_queue_test {

using namespace std::chrono_literals;
using flowlog::SinkQueue;
using flowlog::Written;

/// Lets the test's thread control what a sink does in its own thread.
class SinkControl {
  public:
    enum class Mood : std::uint8_t { Writes, Fails, Sleeps, Hangs };

    void set(Mood mood) {
        const std::lock_guard lock{mutex_};
        mood_ = mood;
        changed_.notify_all();
    }

    /// Waits as a sink does: for at most a second while it sleeps, without limit while it hangs.
    Mood mood() {
        std::unique_lock lock{mutex_};
        ++calls_;
        if (mood_ == Mood::Sleeps || mood_ == Mood::Hangs) {
            is_asleep_ = true;
            changed_.notify_all();
            const auto waits = mood_ == Mood::Sleeps ? 1s : 60s;
            changed_.wait_for(lock, waits, [this, before = mood_] { return mood_ != before; });
            is_asleep_ = false;
        }
        return mood_;
    }

    void wait_until_asleep() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return is_asleep_; });
    }

    void keep(std::string_view line) {
        const std::lock_guard lock{mutex_};
        lines_.emplace_back(line);
    }

    std::vector<std::string> lines() {
        const std::lock_guard lock{mutex_};
        return lines_;
    }

    /// How often the sink was called.
    int calls() {
        const std::lock_guard lock{mutex_};
        return calls_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    Mood mood_ = Mood::Writes;
    bool is_asleep_ = false;
    int calls_ = 0;
    std::vector<std::string> lines_;
};

using Mood = SinkControl::Mood;

/// Writes up to two lines per call, and skips lines that read `too long`.
class ControlledSink final : public flowlog::Sink {
  public:
    explicit ControlledSink(std::shared_ptr<SinkControl> control) : control_(std::move(control)) {}

    Result<Written> write(const LineBlock& block, std::size_t first) override {
        const auto mood = control_->mood();
        if (mood == Mood::Fails) return tl::unexpected(Error{ErrorKind::DiskFault, "No space left"});
        if (mood == Mood::Sleeps) return tl::unexpected(Error{ErrorKind::TimedOut, "asleep"});
        Written written;
        while (written.lines < 2 && first + written.lines < block.count()) {
            const auto line = block.line(first + written.lines);
            if (line == "too long") {
                written.too_long = 1;
                break;
            }
            control_->keep(line);
            ++written.lines;
        }
        return written;
    }

  private:
    std::shared_ptr<SinkControl> control_;
};

class Told {
  public:
    flowlog::LogCallback teller() {
        return [this](std::string_view message) {
            const std::lock_guard lock{mutex_};
            messages_.emplace_back(message);
            times_.push_back(std::chrono::steady_clock::now());
        };
    }
    std::vector<std::string> messages() {
        const std::lock_guard lock{mutex_};
        return messages_;
    }

    /// Between this message and the next one.
    std::chrono::steady_clock::duration time_after(std::size_t message) {
        const std::lock_guard lock{mutex_};
        return times_.at(message + 1) - times_.at(message);
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> messages_;
    std::vector<std::chrono::steady_clock::time_point> times_;
};

void eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 5s;
    bool held = false;
    while (!(held = holds()) && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(held);
}

class SinkQueueTest : public ::testing::Test {
  protected:
    std::unique_ptr<SinkQueue> queue(std::size_t room = 1 << 20,
                                     flowlog::SinkPace pace = {.retry = 10ms, .report = 10s}) {
        return std::make_unique<SinkQueue>("file", std::make_unique<ControlledSink>(control_), room, told_.teller(),
                                           pace);
    }

    /// A queue whose sink sleeps on a first block, so that later blocks wait.
    std::unique_ptr<SinkQueue> sleeping_queue(std::size_t room) {
        control_->set(Mood::Sleeps);
        auto made = queue(room);
        made->push(block_of({"current"}));
        control_->wait_until_asleep();
        return made;
    }

    std::shared_ptr<SinkControl> control_ = std::make_shared<SinkControl>();
    Told told_;
};

TEST_F(SinkQueueTest, writes_what_is_pushed_in_its_order) {
    const auto queue = this->queue();
    queue->push(block_of({"a", "b", "c"}));
    queue->push(block_of({}));
    queue->push(block_of({"d"}));
    queue->finish(5s);
    EXPECT_EQ(control_->lines(), (std::vector<std::string>{"a", "b", "c", "d"}));
    EXPECT_EQ(queue->counts(), (flowlog::SinkCounts{.written = 4, .dropped = 0, .fault = {}, .waiting = 0}));
    EXPECT_TRUE(told_.messages().empty());
}

TEST_F(SinkQueueTest, drops_the_oldest_when_there_is_no_more_room_and_reports_it) {
    const auto queue = sleeping_queue(8);
    queue->push(block_of({"a1", "a2"}));
    queue->push(block_of({"b"}));
    queue->push(block_of({"c1", "c2"}));
    EXPECT_EQ(queue->counts().dropped, 2U);
    EXPECT_EQ(queue->counts().waiting, 4U);
    control_->set(Mood::Writes);
    queue->finish(5s);
    EXPECT_EQ(control_->lines(), (std::vector<std::string>{"current", "b", "c1", "c2"}));
    EXPECT_EQ(queue->counts(), (flowlog::SinkCounts{.written = 4, .dropped = 2, .fault = {}, .waiting = 0}));
    EXPECT_EQ(told_.messages(),
              std::vector<std::string>{"flow log: file: no room for what waits: 2 records were dropped"});
}

TEST_F(SinkQueueTest, lets_one_block_wait_that_is_larger_than_its_room) {
    const auto queue = sleeping_queue(2);
    queue->push(block_of({"longer than the room"}));
    queue->push(block_of({"also longer than the room"}));
    control_->set(Mood::Writes);
    queue->finish(5s);
    EXPECT_EQ(control_->lines(), (std::vector<std::string>{"current", "also longer than the room"}));
}

TEST_F(SinkQueueTest, reports_further_drops_periodically_with_their_number) {
    control_->set(Mood::Sleeps);
    const auto queue = this->queue(1, {.retry = 10ms, .report = 300ms});
    queue->push(block_of({"current"}));
    control_->wait_until_asleep();
    control_->set(Mood::Fails);
    for (int i = 0; i < 4; ++i)
        queue->push(block_of({"a"}));
    eventually([&] { return told_.messages().size() >= 2; });
    for (int i = 0; i < 4; ++i)
        queue->push(block_of({"a"}));
    eventually([&] { return told_.messages().size() == 3; });
    EXPECT_GE(told_.time_after(1), 300ms) << "the first message is the fault, the second that drops have begun";
    constexpr std::string_view kDrops = "flow log: file: no room for what waits: ";
    int dropped = 0;
    for (const auto& each : told_.messages())
        if (each.starts_with(kDrops)) dropped += std::stoi(each.substr(kDrops.size()));
    EXPECT_EQ(dropped, 7) << "all but the newest";
}

TEST_F(SinkQueueTest, reports_a_fault_once_and_its_end_and_loses_nothing_by_it) {
    control_->set(Mood::Fails);
    const auto queue = this->queue();
    queue->push(block_of({"a", "b", "c"}));
    eventually([&] { return !told_.messages().empty(); });
    EXPECT_EQ(queue->counts().fault, "No space left");
    eventually([&, before = control_->calls()] { return control_->calls() >= before + 3; });
    control_->set(Mood::Writes);
    queue->finish(5s);
    EXPECT_EQ(told_.messages(), (std::vector<std::string>{"flow log: file: No space left: 3 records wait",
                                                          "flow log: file: works again"}));
    EXPECT_EQ(control_->lines(), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(queue->counts().fault, "");
}

TEST_F(SinkQueueTest, reports_at_the_end_of_a_fault_how_many_were_dropped_meanwhile) {
    control_->set(Mood::Fails);
    const auto queue = this->queue(1);
    queue->push(block_of({"a"}));
    eventually([&] { return !told_.messages().empty(); });
    queue->push(block_of({"b", "c"}));
    queue->push(block_of({"d"}));
    eventually([&] { return told_.messages().size() == 2; });
    queue->push(block_of({"e"}));
    control_->set(Mood::Writes);
    queue->finish(5s);
    EXPECT_EQ(told_.messages(),
              (std::vector<std::string>{"flow log: file: No space left: 1 record waits",
                                        "flow log: file: no room for what waits: 2 records were dropped",
                                        "flow log: file: works again; 3 records were dropped meanwhile"}));
    EXPECT_EQ(control_->lines(), (std::vector<std::string>{"a", "e"}));
}

TEST_F(SinkQueueTest, does_not_report_a_recurring_fault_every_time) {
    const auto queue = this->queue();
    for (int i = 0; i < 5; ++i) {
        control_->set(Mood::Fails);
        queue->push(block_of({"a"}));
        eventually([&] { return !queue->counts().fault.empty(); });
        control_->set(Mood::Writes);
        eventually([&] { return queue->counts().waiting == 0; });
    }
    EXPECT_EQ(told_.messages().size(), 2U);
}

TEST_F(SinkQueueTest, tries_again_at_once_when_files_are_reopened) {
    control_->set(Mood::Fails);
    const auto queue = this->queue(1 << 20, {.retry = 1h, .report = 10s});
    queue->push(block_of({"a"}));
    eventually([&] { return !queue->counts().fault.empty(); });
    control_->set(Mood::Writes);
    queue->reopen();
    eventually([&] { return queue->counts().written == 1; });
}

TEST_F(SinkQueueTest, counts_what_is_too_long_for_the_sink_as_dropped) {
    const auto queue = this->queue();
    queue->push(block_of({"too long", "a", "b", "c", "too long"}));
    eventually([&] { return queue->counts().waiting == 0; });
    queue->finish(0s);
    EXPECT_EQ(control_->lines(), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(queue->counts(), (flowlog::SinkCounts{.written = 3, .dropped = 2, .fault = {}, .waiting = 0}));
    EXPECT_EQ(told_.messages()[0], "flow log: file: 1 record was too long for it, and dropped");
}

TEST_F(SinkQueueTest, finishing_drops_and_reports_what_could_not_be_written_in_time) {
    control_->set(Mood::Fails);
    const auto queue = this->queue();
    queue->push(block_of({"a", "b"}));
    queue->push(block_of({"c"}));
    queue->finish(50ms);
    EXPECT_EQ(queue->counts().dropped, 3U);
    EXPECT_EQ(queue->counts().waiting, 0U);
    EXPECT_EQ(told_.messages().back(), "flow log: file: 3 records were dropped, not written in time");
    control_->set(Mood::Writes);
    queue->push(block_of({"d"}));
    queue->finish(5s);
    EXPECT_EQ(control_->lines(), std::vector<std::string>{"d"});
}

TEST_F(SinkQueueTest, destruction_waits_no_longer_than_the_sink_itself_and_reports_what_is_lost) {
    auto queue = sleeping_queue(1 << 20);
    queue->push(block_of({"a", "b"}));
    const auto began = std::chrono::steady_clock::now();
    queue.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
    EXPECT_EQ(told_.messages().back(), "flow log: file: 3 records were dropped, not written in time");
}

TEST_F(SinkQueueTest, a_write_that_does_not_return_is_a_fault_that_the_next_push_reports) {
    control_->set(Mood::Hangs);
    const auto queue = this->queue(1, {.retry = 10ms, .report = 10s, .patience = 100ms});
    queue->push(block_of({"a", "b"}));
    control_->wait_until_asleep();
    EXPECT_EQ(queue->counts().fault, "") << "it may be slow";
    eventually([&] { return !queue->counts().fault.empty(); });
    queue->push(block_of({"c"}));
    queue->push(block_of({"d"}));
    EXPECT_EQ(told_.messages(),
              (std::vector<std::string>{"flow log: file: a write does not return: 3 records wait",
                                        "flow log: file: no room for what waits: 1 record was dropped"}));
    control_->set(Mood::Writes);
    queue->finish(5s);
    EXPECT_EQ(control_->lines(), (std::vector<std::string>{"a", "b", "d"}));
    EXPECT_EQ(queue->counts(), (flowlog::SinkCounts{.written = 3, .dropped = 1, .fault = {}, .waiting = 0}));
}

TEST_F(SinkQueueTest, a_write_that_does_not_come_back_holds_up_no_end) {
    control_->set(Mood::Hangs);
    auto queue = this->queue(1 << 20, {.retry = 10ms, .report = 10s, .patience = 50ms});
    queue->push(block_of({"a"}));
    control_->wait_until_asleep();
    queue->push(block_of({"b", "c"}));
    const auto began = std::chrono::steady_clock::now();
    queue->finish(10ms);
    EXPECT_EQ(queue->counts().dropped, 2U);
    EXPECT_EQ(queue->counts().waiting, 1U) << "it may still be written";
    queue.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
    const auto told = told_.messages();
    control_->set(Mood::Writes);
    eventually([&] { return control_->lines() == std::vector<std::string>{"a"}; });
    EXPECT_EQ(told_.messages(), told) << "who was left behind says nothing";
}

TEST_F(SinkQueueTest, pushing_never_waits_for_the_sink) {
    const auto queue = sleeping_queue(100);  // never woken: a push that waited for the sink would hang
    for (int i = 0; i < 1000; ++i)
        queue->push(block_of({"a"}));
    EXPECT_GT(queue->counts().dropped, 0U);
}

TEST_F(SinkQueueTest, counts_every_record_once_whatever_happens) {
    const auto queue = this->queue(200, {.retry = 1ms, .report = 1ms});
    std::atomic<std::uint64_t> pushed = 0;
    const auto push_some = [&](std::size_t seed) {
        for (std::size_t i = 0; i < 500; ++i) {
            const auto block = numbered_block(i, 1 + (i * seed) % 5, 20);
            pushed += block->count();
            queue->push(block);
            if (i % 50 == 0) control_->set(i % 100 == 0 ? Mood::Fails : Mood::Writes);
            if (i % 20 == 0) queue->reopen();
            static_cast<void>(queue->counts());
        }
    };
    std::thread other{push_some, 3};
    push_some(7);
    queue->finish(5ms);
    other.join();
    control_->set(Mood::Writes);
    queue->finish(5s);
    const auto counts = queue->counts();
    EXPECT_EQ(counts.waiting, 0U);
    EXPECT_EQ(counts.written + counts.dropped, pushed.load());
    EXPECT_EQ(counts.written, control_->lines().size());
}

TEST_F(SinkQueueTest, loses_tears_and_doubles_no_line_of_a_file_that_is_rotated_under_load) {
    const TemporaryFolder folder;
    const auto path = folder.path("flow.json");
    SinkQueue queue{"file", std::make_unique<flowlog::FileSink>(path), std::size_t{1} << 30, told_.teller()};
    constexpr std::size_t kBlocks = 400;
    constexpr std::size_t kLines = 50;
    std::thread pusher{[&] {
        for (std::size_t i = 0; i < kBlocks; ++i)
            queue.push(numbered_block(i * kLines, kLines));
    }};
    int rotations = 0;
    for (; rotations < 8; ++rotations) {
        eventually([&] { return std::filesystem::exists(path) || queue.counts().waiting == 0; });
        std::this_thread::sleep_for(3ms);
        std::error_code ignored;
        std::filesystem::rename(path, fmt::format("{}.{}", path, rotations), ignored);
        queue.reopen();
    }
    pusher.join();
    queue.finish(20s);
    std::vector<std::string> lines;
    for (int i = 0; i <= rotations; ++i) {
        const auto file = i == rotations ? path : fmt::format("{}.{}", path, i);
        for (auto& line : lines_of_file(file))
            lines.push_back(std::move(line));
    }
    EXPECT_EQ(lines, lines_of(*numbered_block(0, kBlocks * kLines)));
    EXPECT_EQ(queue.counts().written, kBlocks * kLines);
    EXPECT_TRUE(told_.messages().empty());
}

}  // namespace sink_queue_test
}  // namespace headgate::testing
