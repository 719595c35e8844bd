// SPDX-License-Identifier: GPL-2.0-or-later
#include "threads/start_thread.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

namespace headgate {
namespace start_thread_test {

Result<int> that_throws(const auto& thrown) {
    return guarded([&]() -> Result<int> { throw thrown; });
}

TEST(Guarded, gives_back_what_the_call_does) {
    EXPECT_EQ(guarded([]() -> Result<int> { return 7; }).value(), 7);
    EXPECT_EQ(guarded([]() -> Result<int> { return failed("so it is"); }).error().message, "so it is");
}

TEST(Guarded, makes_an_error_of_whatever_is_thrown) {
    EXPECT_EQ(that_throws(std::runtime_error{"a fault"}).error().message, "a fault");
    EXPECT_EQ(that_throws(std::bad_alloc{}).error().message, "out of memory");
    EXPECT_EQ(that_throws(std::bad_alloc{}).error().number, ENOMEM);
    EXPECT_EQ(that_throws(std::system_error{EAGAIN, std::generic_category()}).error().number, EAGAIN);
    EXPECT_FALSE(that_throws(7).has_value());
}

TEST(StartedThread, does_its_work) {
    std::string done;
    auto thread = start_thread(
        "a test", [&] { done = "work"; }, [](const Error&) {});
    ASSERT_TRUE(thread.has_value()) << thread.error().message;
    thread->join();
    EXPECT_EQ(done, "work");
}

TEST(StartedThread, hears_that_it_is_to_stop) {
    auto thread = start_thread(
        "a test",
        [](const std::stop_token& stop) {
            while (!stop.stop_requested())
                std::this_thread::yield();
        },
        [](const Error&) {});
    ASSERT_TRUE(thread.has_value());
    thread.value() = std::jthread{};  // joins
}

TEST(StartedThread, that_throws_reports_it_and_ends) {
    std::optional<Error> told;
    auto thread = start_thread(
        "a test", [] { throw std::runtime_error{"a fault"}; },
        [&](Error fault) {
            told = std::move(fault);
            throw std::runtime_error{"and another one"};
        });
    ASSERT_TRUE(thread.has_value());
    thread->join();
    EXPECT_EQ(told.value().message, "a fault");
}

/// Runs in a child process, so that the limit affects only the child.
TEST(StartedThread, that_cannot_be_had_is_an_error) {
    const auto child = ::fork();
    if (child == 0) {
        constexpr rlimit kNoMore{1, 1};
        constexpr uid_t kNobodyElse = 2'000'000'011;  // not root, which RLIMIT_NPROC does not limit
        const bool limited =
            ::setrlimit(RLIMIT_NPROC, &kNoMore) == 0 && (::geteuid() != 0 || ::setuid(kNobodyElse) == 0);
        const auto thread = start_thread(
            "a test", [] {}, [](const Error&) {});
        ::_exit(limited && !thread && thread.error().number == EAGAIN &&
                        thread.error().message == "a thread for a test: Resource temporarily unavailable"
                    ? 0
                    : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace start_thread_test
}  // namespace headgate
