// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/unwritten_mark.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/temporary_folder.h"

namespace headgate::flowlog {
namespace unwritten_mark_test {

class UnwrittenMarks : public ::testing::Test {
  protected:
    [[nodiscard]] auto make(std::string_view id) const { return UnwrittenMark::make(state_dir_, id); }
    [[nodiscard]] auto adopt(std::string_view id) const { return UnwrittenMark::adopt(state_dir_, id); }
    [[nodiscard]] std::vector<std::string> all() const { return UnwrittenMark::all(state_dir_); }

    testing::TemporaryFolder folder_;
    std::filesystem::path state_dir_ = folder_.path("");
};

TEST_F(UnwrittenMarks, exist_for_as_long_as_a_process_holds_them) {
    EXPECT_TRUE(all().empty()) << "there are none at first";
    auto first = make("a");
    auto second = make("b").value();
    ASSERT_TRUE(first);
    EXPECT_EQ(all().size(), 2U);
    first = tl::unexpected(Error{});
    EXPECT_EQ(all(), std::vector<std::string>{"b"});
    const auto also = second;
    second.reset();
    EXPECT_EQ(all(), std::vector<std::string>{"b"});
}

TEST_F(UnwrittenMarks, are_held_by_one_at_a_time) {
    const auto held = make("a");
    const auto other = make("a");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::Locked);
    EXPECT_EQ(all(), std::vector<std::string>{"a"}) << "who did not get it removes nothing";
}

TEST_F(UnwrittenMarks, of_a_process_that_was_killed_are_taken_over) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto held = make("a");
        ::_exit(held ? 0 : 1);  // without destructors, as after a kill
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    ASSERT_EQ(all(), std::vector<std::string>{"a"});
    EXPECT_TRUE(adopt("a"));
    EXPECT_TRUE(all().empty());
    const auto again = adopt("a");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::Missing) << "one that is gone is not made anew";
}

TEST_F(UnwrittenMarks, stay_where_records_were_given_up) {
    make("a").value()->given_up();
    EXPECT_EQ(all(), std::vector<std::string>{"a"});
    EXPECT_TRUE(adopt("a"));
    EXPECT_TRUE(all().empty());
}

TEST_F(UnwrittenMarks, that_cannot_be_created_are_errors_with_the_reason) {
    const auto mark = UnwrittenMark::make(state_dir_ / "nowhere", "a");
    ASSERT_FALSE(mark);
    EXPECT_EQ(mark.error().kind, ErrorKind::Missing);
}

TEST_F(UnwrittenMarks, are_distinguished_from_other_files) {
    std::ofstream{state_dir_ / "operations.db"} << "a store";
    const auto held = make("a");
    EXPECT_EQ(all(), std::vector<std::string>{"a"});
}

}  // namespace unwritten_mark_test
}  // namespace headgate::flowlog
