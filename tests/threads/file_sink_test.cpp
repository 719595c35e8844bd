// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/file_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "support/line_blocks.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace file_sink_test {

using namespace std::chrono_literals;
using flowlog::FileSink;
using flowlog::Written;

/// Writes the whole block, as a queue does; returns the number of calls.
std::size_t write_all(flowlog::Sink& sink, const LineBlock& block) {
    std::size_t calls = 0;
    for (std::size_t first = 0; first < block.count(); ++calls) {
        const auto written = sink.write(block, first);
        if (!written) {
            ADD_FAILURE() << written.error().message;
            break;
        }
        first += written->lines;
    }
    return calls;
}

TEST(FileSink, writes_long_blocks_in_pieces_of_whole_lines) {
    const TemporaryFolder folder;
    const auto block = numbered_block(0, 1000, 900);
    FileSink sink{folder.path("flow.json")};
    EXPECT_EQ(write_all(sink, *block), 4U);
    EXPECT_EQ(lines_of_file(folder.path("flow.json")), lines_of(*block));
}

TEST(FileSink, writes_a_line_that_is_longer_than_a_piece) {
    const TemporaryFolder folder;
    const auto block = block_of({"a", std::string(600'000, 'b'), "c"});
    FileSink sink{folder.path("flow.json")};
    EXPECT_EQ(write_all(sink, *block), 3U);
    EXPECT_EQ(lines_of_file(folder.path("flow.json")), lines_of(*block));
}

TEST(FileSink, goes_on_in_a_new_file_after_the_old_one_was_moved_away) {
    const TemporaryFolder folder;
    const auto path = folder.path("flow.json");
    FileSink sink{path};
    write_all(sink, *block_of({"one"}));
    std::filesystem::rename(path, path + ".1");
    sink.reopen();
    write_all(sink, *block_of({"two"}));
    EXPECT_EQ(text_of_file(path + ".1"), "one\n");
    EXPECT_EQ(text_of_file(path), "two\n");
}

TEST(FileSink, notices_by_itself_that_its_file_is_gone) {
    const TemporaryFolder folder;
    const auto path = folder.path("flow.json");
    FileSink sink{path};
    write_all(sink, *block_of({"one"}));
    std::filesystem::remove(path);
    std::this_thread::sleep_for(1100ms);
    write_all(sink, *block_of({"two"}));
    EXPECT_EQ(text_of_file(path), "two\n");
}

TEST(FileSink, reports_that_it_removed_a_torn_record) {
    const TemporaryFolder folder;
    const auto path = folder.write("flow.json", "{\"n\":");
    FileSink sink{path};
    EXPECT_EQ(sink.write(*block_of({"{}"}), 0).value().note, path + ": the last record was torn, and was taken off");
    EXPECT_EQ(text_of_file(path), "{}\n");
}

TEST(FileSink, refuses_a_pipe_whose_reader_could_hold_it_for_ever) {
    const TemporaryFolder folder;
    const auto path = folder.path("pipe");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    FileSink sink{path};
    EXPECT_EQ(sink.write(*block_of({"{}"}), 0).error().message, path + ": is a pipe, not a file");
}

TEST(FileSink, reports_in_few_words_that_the_disk_is_full) {
    FileSink sink{"/dev/full"};
    EXPECT_EQ(sink.write(*block_of({"{}"}), 0).error().message, "No space left on device");
}

}  // namespace file_sink_test
}  // namespace headgate::testing
