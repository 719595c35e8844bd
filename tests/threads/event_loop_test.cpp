// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <csignal>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

namespace headgate::daemon {
namespace event_loop_test {

using namespace std::chrono_literals;

struct Pipe {
    Pipe() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
        reader = FileDescriptor{ends[0]};
        writer = FileDescriptor{ends[1]};
    }
    void write(const std::string& text) const {
        EXPECT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    [[nodiscard]] char read() const {
        char c = 0;
        EXPECT_EQ(::read(reader.get(), &c, 1), 1);
        return c;
    }

    FileDescriptor reader, writer;
};

class Loop : public ::testing::Test {
  protected:
    void SetUp() override {
        auto opened = EventLoop::open();
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        loop_ = std::move(*opened);
        // So that a failing test does not hang.
        loop_->after(20s, [this] {
            ADD_FAILURE() << "the loop was not stopped";
            loop_->stop();
        });
    }

    void run() const {
        const auto ran = loop_->run();
        EXPECT_TRUE(ran.has_value()) << ran.error().message;
    }

    std::unique_ptr<EventLoop> loop_;
};

TEST_F(Loop, goes_on_after_what_is_thrown) {
    loop_->post([] { throw std::bad_alloc{}; });
    loop_->after(0ms, [] { throw std::runtime_error{"a fault"}; });
    const Pipe pipe;
    pipe.write("x");
    loop_->watch(pipe.reader.get(), [&] {
        static_cast<void>(pipe.read());
        loop_->after(1ms, [this] { loop_->stop(); });
        throw std::runtime_error{"another fault"};
    });
    ::testing::internal::CaptureStderr();
    run();
    const auto said = ::testing::internal::GetCapturedStderr();
    for (const auto* fault : {"out of memory", "a fault", "another fault"})
        EXPECT_NE(said.find(fault), std::string::npos) << said;
}

TEST_F(Loop, calls_for_a_descriptor_as_long_as_it_is_readable) {
    const Pipe pipe;
    std::string seen;
    loop_->watch(pipe.reader.get(), [&] {
        seen += pipe.read();
        if (seen.size() == 3) loop_->stop();
    });
    pipe.write("abc");
    run();
    EXPECT_EQ(seen, "abc");
}

TEST_F(Loop, calls_for_a_descriptor_whose_other_end_is_closed) {
    Pipe pipe;
    bool called = false;
    loop_->watch(pipe.reader.get(), [&] {
        called = true;
        loop_->stop();
    });
    pipe.writer = {};
    run();
    EXPECT_TRUE(called);
}

TEST_F(Loop, calls_no_more_for_what_was_cancelled_by_a_call_before_it) {
    const Pipe first;
    const Pipe second;
    EventLoop::Id of_first = 0;
    EventLoop::Id of_second = 0;
    int calls = 0;
    const auto cancel_both = [&] {
        ++calls;
        loop_->cancel(of_first);
        loop_->cancel(of_second);
        loop_->cancel(of_second);
        loop_->after(1ms, [&] { loop_->stop(); });
    };
    of_first = loop_->watch(first.reader.get(), cancel_both);
    of_second = loop_->watch(second.reader.get(), cancel_both);
    first.write("x");
    second.write("x");
    run();
    EXPECT_EQ(calls, 1);
}

TEST_F(Loop, ends_when_a_watched_descriptor_is_not_open) {
    Pipe pipe;
    loop_->watch(pipe.reader.get(), [] { FAIL(); });
    pipe.reader = {};
    const auto ran = loop_->run();
    ASSERT_FALSE(ran.has_value());
    EXPECT_NE(ran.error().message.find("is watched, but not open"), std::string::npos);
}

TEST_F(Loop, calls_timers_when_they_are_due_in_their_order) {
    std::string order;
    const auto begin = EventLoop::Clock::now();
    loop_->after(8ms, [&] {
        order += 'c';
        loop_->stop();
    });
    loop_->after(4ms, [&] { order += 'b'; });
    loop_->after(0ms, [&] { order += 'a'; });
    const auto cancelled = loop_->after(2ms, [&] { order += 'x'; });
    loop_->cancel(cancelled);
    run();
    EXPECT_EQ(order, "abc");
    EXPECT_GE(EventLoop::Clock::now() - begin, 8ms);
}

TEST_F(Loop, calls_a_periodic_timer_until_it_is_cancelled) {
    int calls = 0;
    EventLoop::Id id = 0;
    id = loop_->every(1ms, [&] {
        if (++calls < 3) return;
        loop_->cancel(id);
        loop_->after(5ms, [&] { loop_->stop(); });
    });
    run();
    EXPECT_EQ(calls, 3);
}

TEST_F(Loop, does_not_make_up_for_periods_that_were_slept_through) {
    int calls = 0;
    loop_->every(5ms, [&] {
        if (++calls == 1) std::this_thread::sleep_for(22ms);
    });
    loop_->after(26ms, [&] { loop_->stop(); });
    run();
    EXPECT_LE(calls, 2) << "of five";
}

TEST_F(Loop, sleeps_when_there_is_nothing_to_do) {
    const auto times_slept = [] {
        rusage usage{};
        ::getrusage(RUSAGE_THREAD, &usage);
        return usage.ru_nvcsw;
    };
    const auto before = times_slept();
    loop_->after(50ms, [&] { loop_->stop(); });
    run();
    EXPECT_LE(times_slept() - before, 3);
}

TEST_F(Loop, calls_what_other_threads_post_on_its_own_thread_in_their_order) {
    std::string order;
    const auto own = std::this_thread::get_id();
    std::thread other{[&] {
        for (const char c : std::string{"abcdef"}) {
            loop_->post([&, c] {
                EXPECT_EQ(std::this_thread::get_id(), own);
                order += c;
            });
        }
        loop_->post([&] { loop_->stop(); });
    }};
    run();
    other.join();
    EXPECT_EQ(order, "abcdef");
}

TEST_F(Loop, lets_others_have_their_turn_between_posts_that_post) {
    const Pipe pipe;
    int rounds = 0;
    std::function<void()> again = [&] {
        ++rounds;
        loop_->post(again);
    };
    loop_->watch(pipe.reader.get(), [&] { loop_->stop(); });
    loop_->after(2ms, [&] { pipe.write("x"); });
    loop_->post(again);
    run();
    EXPECT_GT(rounds, 0);
}

TEST_F(Loop, stops_at_once_on_request) {
    int calls = 0;
    loop_->post([&] {
        ++calls;
        loop_->stop();
    });
    loop_->post([&] { ++calls; });
    run();
    EXPECT_EQ(calls, 1);
}

TEST_F(Loop, is_stopped_by_another_thread_or_before_it_ran) {
    std::thread other{[&] { loop_->stop(); }};
    run();
    other.join();
    loop_->stop();
    run();
}

class LoopWithSignals : public Loop {
  protected:
    void SetUp() override {
        ::pthread_sigmask(SIG_SETMASK, nullptr, &before_);
        Loop::SetUp();
    }
    void TearDown() override { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

TEST_F(LoopWithSignals, calls_with_each_signal) {
    ASSERT_TRUE(block_signals().has_value());
    std::vector<int> seen;
    const auto handling = loop_->handle_signals([&](int signal) {
        seen.push_back(signal);
        if (signal == SIGTERM) loop_->stop();
    });
    ASSERT_TRUE(handling.has_value()) << handling.error().message;
    ASSERT_EQ(std::raise(SIGHUP), 0);
    loop_->after(1ms, [] { std::raise(SIGTERM); });
    run();
    EXPECT_EQ(seen, (std::vector<int>{SIGHUP, SIGTERM}));
}

TEST_F(LoopWithSignals, reports_it_when_they_would_end_the_process_instead) {
    EXPECT_FALSE(loop_->handle_signals([](int) {}).has_value());
}

TEST_F(LoopWithSignals, keeps_them_from_threads_that_are_started_later) {
    ASSERT_TRUE(block_signals().has_value());
    std::thread{[] {
        sigset_t blocked{};
        ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        for (const int signal : {SIGHUP, SIGINT, SIGTERM})
            EXPECT_EQ(sigismember(&blocked, signal), 1);
    }}.join();
}

}  // namespace event_loop_test
}  // namespace headgate::daemon
