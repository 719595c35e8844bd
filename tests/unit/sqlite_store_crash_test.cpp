// SPDX-License-Identifier: GPL-2.0-or-later
// After kill -9 at any moment, all that the store confirmed is kept, and no write is partial.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "operations/sqlite_store.h"
#include "support/stored_operations.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace sqlite_store_crash_test {

using operations::SqliteStore;

constexpr std::uint32_t kRows = 64;

/// Reports what the store confirmed to the child, one line each, through a pipe: `b ID`, `p ID BLOCK`, `s ID BLOCK`.
class Told {
  public:
    explicit Told(int fd) : fd_(fd) {}
    void say(const std::string& line) const {
        if (::write(fd_, (line + "\n").data(), line.size() + 1) < 0) std::_Exit(3);
    }

  private:
    int fd_;
};

/// Begins operations and writes blocks until it is killed.
[[noreturn]] void work(const std::string& folder, const Told& told) {
    const auto store = SqliteStore::open(folder);
    if (!store) std::_Exit(4);
    const auto flows = numbered_flows(0, kRows);
    for (unsigned operation = 0;; ++operation) {
        const auto id = std::to_string(::getpid()) + "-" + std::to_string(operation);
        if (!(*store)->begin(operation_named(id), id)) std::_Exit(5);
        told.say("b " + id);
        for (unsigned block = 0; block < 8; ++block) {
            const auto number = (*store)->append_pending(id, rows_of(flows));
            if (!number) std::_Exit(6);
            told.say("p " + id + " " + std::to_string(*number));
            if (!(*store)->record_outcomes(id, *number, endings_of(flows))) std::_Exit(7);
            told.say("s " + id + " " + std::to_string(*number));
        }
    }
}

/// Runs the child for that long and kills it; returns what it reported.
std::string killed_after(const std::string& folder, std::chrono::microseconds time) {
    int ends[2];
    if (::pipe(ends) != 0) return {};
    const pid_t child = ::fork();
    if (child == 0) work(folder, Told{ends[1]});
    ::close(ends[1]);
    std::thread executioner{[&] {
        std::this_thread::sleep_for(time);
        ::kill(child, SIGKILL);
    }};
    std::string said;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(got));
    executioner.join();
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
    return said.substr(0, said.rfind('\n') + 1);
}

/// A block's flows are those that were written: either all pending, or all with an outcome.
void expect_whole_blocks(OperationStore& store, const std::string& id) {
    const auto told = store.flows(id, 0, SIZE_MAX);
    ASSERT_TRUE(told.has_value()) << told.error().message;
    ASSERT_EQ(told->size() % kRows, 0U);
    const auto flows = numbered_flows(0, kRows);
    const auto endings = endings_of(flows);
    for (std::size_t i = 0; i < told->size(); i += kRows) {
        const bool settled = (*told)[i].outcome.has_value();
        for (std::size_t row = 0; row < kRows; ++row) {
            const auto& ending = endings[row];
            const auto expected = settled ? ending : flows[row];
            ASSERT_EQ((*told)[i + row], expected) << id << " row " << i + row;
        }
    }
}

void expect_what_was_said(OperationStore& store, const std::string& said) {
    std::istringstream lines{said};
    std::string what;
    std::string id;
    std::map<std::string, std::size_t> rows;
    std::map<std::string, std::size_t> settled;
    while (lines >> what >> id) {
        std::string block;
        if (what != "b") lines >> block;
        rows[id] += what == "p" ? kRows : 0;
        settled[id] += what == "s" ? 1 : 0;
    }
    for (const auto& [each, count] : rows) {
        EXPECT_EQ(store.find(each).value(), operation_named(each));
        EXPECT_EQ(store.find_by_token(each).value(), operation_named(each));
        const auto told = store.flows(each, 0, SIZE_MAX).value();
        EXPECT_GE(told.size(), count);
        EXPECT_GE(std::ranges::count_if(told, [](const auto& flow) { return flow.outcome.has_value(); }),
                  static_cast<std::ptrdiff_t>(settled[each] * kRows));
        expect_whole_blocks(store, each);
    }
}

TEST(SqliteStoreCrash, leaves_every_block_pending_settled_or_absent) {
    const TemporaryFolder folder;
    std::mt19937 random{20261121};
    std::string said;
    // On a slow machine more and longer rounds are needed until as much work was interrupted.
    for (int round = 0; round < 30 || (std::ranges::count(said, 'p') <= 30 && round < 300); ++round) {
        // The first kills interrupt the creation of the file, the later ones interrupt writes.
        const auto longest = round < 10 ? 15'000 : 60'000 * (1 + round / 30);
        said += killed_after(folder.path("state"),
                             std::chrono::microseconds{std::uniform_int_distribution{500, longest}(random)});
        const auto store = SqliteStore::open(folder.path("state"));
        ASSERT_TRUE(store.has_value()) << store.error().message;
        expect_what_was_said(**store, said);
    }
    EXPECT_GT(std::ranges::count(said, 'p'), 30) << "hardly any work was done";
}

TEST(SqliteStoreCrash, what_a_removal_left_behind_goes_with_the_next) {
    const TemporaryFolder folder;
    std::mt19937 random{7};
    for (int round = 0; round < 10; ++round) {
        const auto time = std::chrono::microseconds{std::uniform_int_distribution{0, 15'000}(random)};
        const pid_t child = ::fork();
        if (child == 0) {
            const auto store = SqliteStore::open(folder.path("state")).value();
            auto operation = operation_named(std::to_string(round));
            if (!store->begin(operation, {})) std::_Exit(1);
            if (!store->append(operation.id, numbered_flows(0, 40'960))) std::_Exit(1);
            operation.status = OperationStatus::Completed;
            if (!store->update(operation)) std::_Exit(1);
            std::thread{[&] {
                std::this_thread::sleep_for(time);
                ::kill(::getpid(), SIGKILL);
            }}.detach();
            static_cast<void>(store->shrink_to(0));
            std::_Exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    }
    const auto store = SqliteStore::open(folder.path("state")).value();
    const auto left = store->list({}).value();
    for (const auto& each : left) {
        const auto flows = store->flows(each.id, 0, SIZE_MAX);
        ASSERT_TRUE(flows.has_value());
        EXPECT_EQ(flows->size(), 40'960U);
    }
    auto last = operation_named("last");
    last.status = OperationStatus::Completed;
    ASSERT_TRUE(store->begin(last, {}).has_value());
    ASSERT_TRUE(store->shrink_to(0).has_value());
    EXPECT_LT(store->bytes_used().value(), 100'000U);
}

}  // namespace sqlite_store_crash_test
}  // namespace headgate::testing
