// SPDX-License-Identifier: GPL-2.0-or-later
// What the next agent reports about the time in which no agent received events.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "daemon/destroy_listeners.h"
#include "support/temporary_folder.h"

namespace headgate::daemon {
namespace listening_record_test {

using namespace std::chrono_literals;

constexpr Timestamp kNoon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 12h};

class ListeningRecordTest : public ::testing::Test {
  protected:
    testing::TemporaryFolder folder_;
    ListeningRecord record_{folder_.path("")};
};

TEST_F(ListeningRecordTest, reports_nothing_to_the_first_agent) {
    EXPECT_EQ(record_.begin(kNoon), "");
}

TEST_F(ListeningRecordTest, reports_from_when_to_when_no_agent_listened) {
    static_cast<void>(record_.begin(kNoon));
    record_.end(kNoon + 1h);
    EXPECT_EQ(record_.begin(kNoon + 2h),
              "no agent listened from 2026-11-21T13:00:00.000Z to 2026-11-21T14:00:00.000Z: flows that ended meanwhile "
              "have no record");
}

TEST_F(ListeningRecordTest, reports_of_an_agent_that_was_killed_that_its_end_is_not_known) {
    static_cast<void>(record_.begin(kNoon));
    EXPECT_TRUE(record_.begin(kNoon + 2h)
                    .starts_with("no agent listened for a time before 2026-11-21T14:00:00.000Z: the one that began at "
                                 "2026-11-21T12:00:00.000Z "
                                 "was killed or crashed."));
}

TEST_F(ListeningRecordTest, neither_writes_nor_reads_through_a_link) {
    const auto elsewhere = folder_.write("elsewhere", "until 2026-11-21T13:00:00.000Z\n");
    for (const bool is_symbolic : {true, false}) {
        std::filesystem::remove(folder_.path("flow-log-heard"));
        if (is_symbolic) {
            std::filesystem::create_symlink(elsewhere, folder_.path("flow-log-heard"));
        } else {
            std::filesystem::create_hard_link(elsewhere, folder_.path("flow-log-heard"));
        }
        EXPECT_EQ(record_.begin(kNoon), "");
        record_.end(kNoon);
        std::ifstream file{elsewhere};
        std::string line;
        EXPECT_TRUE(std::getline(file, line));
        EXPECT_EQ(line, "until 2026-11-21T13:00:00.000Z");
    }
}

TEST_F(ListeningRecordTest, is_not_kept_waiting_by_a_pipe) {
    ASSERT_EQ(::mkfifo(folder_.path("flow-log-heard").c_str(), 0600), 0);
    EXPECT_EQ(record_.begin(kNoon), "");
    record_.end(kNoon);
}

}  // namespace listening_record_test
}  // namespace headgate::daemon
