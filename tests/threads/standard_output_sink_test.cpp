// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <csignal>

#include "flowlog/sinks/stream_sinks.h"
#include "support/line_blocks.h"
#include "support/reading_sockets.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace standard_output_sink_test {

using namespace std::chrono_literals;
using flowlog::StandardOutputSink;

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        reader = FileDescriptor{ends[0]};
        writer = FileDescriptor{ends[1]};
    }
    FileDescriptor reader;
    FileDescriptor writer;
};

TEST(StandardOutputSink, does_not_wait_for_a_sleeping_reader_and_tears_no_line_for_it) {
    const Pipe pipe;
    StandardOutputSink sink{pipe.writer.get()};
    const auto block = numbered_block(0, 200, 999);
    const auto began = std::chrono::steady_clock::now();
    const auto written = sink.write(*block, 0);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
    ASSERT_TRUE(written.has_value());
    EXPECT_EQ(written->lines, 65'536U / 1002U) << "whole lines in what a pipe holds";
    EXPECT_EQ(sink.write(*block, written->lines).error().kind, ErrorKind::TimedOut);

    auto read = received_bytes(pipe.reader.get(), 0);
    EXPECT_EQ(read.size(), 65'536U);
    for (auto first = written->lines; first < block->count();) {
        const auto more = sink.write(*block, first);
        if (more) first += more->lines;
        read += received_bytes(pipe.reader.get(), 0);
    }
    EXPECT_EQ(lines_of(read), lines_of(*block));
}

TEST(StandardOutputSink, finishes_a_partial_line_that_no_caller_waits_for_any_more) {
    const Pipe pipe;
    StandardOutputSink sink{pipe.writer.get()};
    const auto block = numbered_block(0, 100, 999);
    const auto went = sink.write(*block, 0).value().lines;
    auto read = received_bytes(pipe.reader.get(), 0);
    const auto next = numbered_block(5000, 3);
    EXPECT_EQ(sink.write(*next, 0).value().lines, 3U);
    read += received_bytes(pipe.reader.get(), 0);
    auto expected = lines_of(*numbered_block(0, went + 1, 999));
    for (const auto& line : lines_of(*next))
        expected.push_back(line);
    EXPECT_EQ(lines_of(read), expected);
}

TEST(StandardOutputSink, fails_when_its_reader_has_gone_away) {
    std::signal(SIGPIPE, SIG_IGN);
    Pipe pipe;
    StandardOutputSink sink{pipe.writer.get()};
    pipe.reader = FileDescriptor{};
    EXPECT_EQ(sink.write(*block_of({"{}"}), 0).error().message, "Broken pipe");
    std::signal(SIGPIPE, SIG_DFL);
}

TEST(StandardOutputSink, writes_to_a_file_and_to_a_socket_as_well) {
    const TemporaryFolder folder;
    const auto block = numbered_block(0, 10);
    const FileDescriptor file{::open(folder.path("out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    EXPECT_EQ(StandardOutputSink{file.get()}.write(*block, 0).value().lines, 10U);
    EXPECT_EQ(lines_of_file(folder.path("out")), lines_of(*block));

    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const FileDescriptor reader{ends[0]};
    const FileDescriptor writer{ends[1]};
    EXPECT_EQ(StandardOutputSink{writer.get()}.write(*block, 0).value().lines, 10U);
    EXPECT_EQ(lines_of(received_bytes(reader.get(), 0)), lines_of(*block));
}

}  // namespace standard_output_sink_test
}  // namespace headgate::testing
