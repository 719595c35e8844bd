// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/policy_state_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/temporary_folder.h"

namespace headgate::midstream {
namespace policy_state_file_test {

using testing::TemporaryFolder;

class AppliedRecordTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(record_.lock()->write({"reject", "0123abcd"}));
        file_ = std::filesystem::directory_iterator {
            folder_.path("")
            } -> path();
    }
    void expect_refused() {
        EXPECT_FALSE(record_.read());
        EXPECT_FALSE(record_.lock());
        EXPECT_FALSE(record_.share().is_open());
    }

    TemporaryFolder folder_;
    PolicyStateFile record_ = PolicyStateFile::open(folder_.path("")).value();
    std::filesystem::path file_;
};

TEST_F(AppliedRecordTest, is_read_as_it_was_written) {
    const auto applied = record_.read().value().value();
    EXPECT_EQ(applied.policy, "reject");
    EXPECT_EQ(applied.fingerprint, "0123abcd");
    EXPECT_TRUE(record_.share().is_open());
}

TEST_F(AppliedRecordTest, that_is_not_there_is_none) {
    std::filesystem::remove(file_);
    EXPECT_EQ(record_.read().value(), std::nullopt);
    EXPECT_FALSE(record_.share().is_open());
}

TEST_F(AppliedRecordTest, is_not_read_through_a_link) {
    std::filesystem::rename(file_, folder_.path("elsewhere"));
    std::filesystem::create_symlink(folder_.path("elsewhere"), file_);
    expect_refused();
}

TEST_F(AppliedRecordTest, that_has_another_name_as_well_is_none_of_ours) {
    std::filesystem::create_hard_link(file_, folder_.path("elsewhere"));
    expect_refused();
}

TEST_F(AppliedRecordTest, a_pipe_in_its_place_blocks_no_process) {
    std::filesystem::remove(file_);
    ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
    expect_refused();
}

}  // namespace policy_state_file_test
}  // namespace headgate::midstream
