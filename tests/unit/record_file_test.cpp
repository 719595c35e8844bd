// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/record_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_folder.h"

namespace headgate::flowlog {
namespace record_file_test {

using headgate::testing::TemporaryFolder;

class RecordFileTest : public ::testing::Test {
  protected:
    void append(const std::string& text) const { std::ofstream{path_, std::ios::app | std::ios::binary} << text; }
    void move_away() const { std::filesystem::rename(path_, path_ + ".1"); }

    [[nodiscard]] RecordFile open() const { return RecordFile::open(path_).value(); }

    static std::string read(RecordFile& file) {
        std::string text;
        EXPECT_TRUE(file.read([&](std::string_view line) -> Result<void> {
            text.append(line).push_back('|');
            return {};
        }));
        return text;
    }

    /// What is read after seeking to the last `count` lines without an `x`.
    [[nodiscard]] std::string last(std::uint64_t count) const {
        auto file = open();
        EXPECT_TRUE(file.go_to_last(count, [](std::string_view line) { return line.find('x') == line.npos; }));
        return read(file);
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.path("flow.json");
};

TEST_F(RecordFileTest, returns_each_line_once_and_a_partial_line_when_it_is_whole) {
    append("a\nb\nc");
    auto file = open();
    EXPECT_EQ(read(file), "a|b|");
    EXPECT_EQ(read(file), "");
    append("c\n\nd");
    EXPECT_EQ(read(file), "cc||");
    append("\n");
    EXPECT_EQ(read(file), "d|");
}

TEST_F(RecordFileTest, reads_a_file_that_was_moved_away_to_its_end_and_goes_on_with_the_new_one) {
    append("a\n");
    auto file = open();
    EXPECT_EQ(read(file), "a|");
    append("b\n");
    std::ofstream writer{path_, std::ios::app};
    move_away();
    EXPECT_EQ(read(file), "b|");
    append("");  // the new file exists, but the writer still has the old one open
    writer << "c\n" << std::flush;
    EXPECT_EQ(read(file), "c|");
    writer << "d\n" << std::flush;
    append("e\n");
    EXPECT_EQ(read(file), "d|e|");
    append("f\n");
    EXPECT_EQ(read(file), "f|");
}

TEST_F(RecordFileTest, begins_anew_when_the_file_was_emptied) {
    append("a\nb\nhalf");
    auto file = open();
    EXPECT_EQ(read(file), "a|b|");
    std::filesystem::resize_file(path_, 0);
    append("c\n");
    EXPECT_EQ(read(file), "c|");
}

TEST_F(RecordFileTest, goes_to_the_last_lines_that_are_wanted) {
    append("a\nx\nb\nx\nc\nhalf");
    EXPECT_EQ(last(0), "");
    EXPECT_EQ(last(1), "c|");
    EXPECT_EQ(last(2), "b|x|c|");
    EXPECT_EQ(last(3), "a|x|b|x|c|");
    EXPECT_EQ(last(4), "a|x|b|x|c|");
}

TEST_F(RecordFileTest, an_empty_file_and_one_with_half_a_line_have_no_lines) {
    append("");
    EXPECT_EQ(last(3), "");
    append("half");
    EXPECT_EQ(last(3), "");
    auto file = open();
    ASSERT_TRUE(file.go_to_last(0, [](std::string_view) { return true; }));
    append("-and-half\n");
    EXPECT_EQ(read(file), "half-and-half|");
}

TEST_F(RecordFileTest, finds_lines_across_the_blocks_in_which_it_reads) {
    std::string text, expected;
    for (int i = 0; i < 40'000; ++i)
        text += fmt::format("line {}\n", i);
    append(text);
    for (int i = 10'000; i < 40'000; ++i)
        expected += fmt::format("line {}|", i);
    EXPECT_EQ(last(30'000), expected);
}

TEST_F(RecordFileTest, cuts_a_line_that_has_no_end) {
    append("a\n" + std::string(3 * RecordFile::kLongestLine, 'b') + "\nc\n");
    EXPECT_EQ(last(2), std::string(RecordFile::kLongestLine, 'b') + "|c|");
    EXPECT_TRUE(last(3).starts_with("a|bbb"));
}

TEST_F(RecordFileTest, an_error_names_the_file) {
    const auto none = RecordFile::open(folder_.path("none"));
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message.find("none: No such file"), std::string::npos) << none.error().message;
    EXPECT_FALSE(RecordFile::open(folder_.path("")));
}

TEST_F(RecordFileTest, a_reader_who_has_enough_ends_the_reading) {
    append("a\nb\n");
    auto file = open();
    const auto read = file.read([](std::string_view) -> Result<void> { return failed("enough"); });
    EXPECT_EQ(read.error().message, "enough");
}

}  // namespace record_file_test
}  // namespace headgate::flowlog
