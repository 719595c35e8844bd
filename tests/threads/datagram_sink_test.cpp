// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/datagram_sink.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>

#include "flowlog/sinks/sink_kinds.h"
#include "support/line_blocks.h"
#include "support/reading_sockets.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace datagram_sink_test {

using namespace std::chrono_literals;
using flowlog::DatagramSink;
using flowlog::SocketAddress;

std::unique_ptr<flowlog::Sink> unix_sink(const std::string& path) {
    config::FlowLogSink sink;
    sink.unix_datagram = path;
    return flowlog::kind_of(sink).make(sink);
}

/// The fields of a datagram of systemd's journal protocol, in both forms: text, and binary with a length.
std::map<std::string, std::string> journal_fields(std::string_view datagram) {
    std::map<std::string, std::string> fields;
    while (!datagram.empty()) {
        const auto end = datagram.find('\n');
        if (end == std::string_view::npos) return {{"torn", std::string{datagram}}};
        const auto line = datagram.substr(0, end);
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) return {{"with a length", std::string{line}}};
        fields.emplace(line.substr(0, equals), line.substr(equals + 1));
        datagram.remove_prefix(end + 1);
    }
    return fields;
}

TEST(DatagramSink, sends_each_record_in_a_datagram_of_its_own) {
    const TemporaryFolder folder;
    const auto reader = bound_unix_socket(folder.path("socket"), SOCK_DGRAM);
    const auto sink = unix_sink(folder.path("socket"));
    const auto block = numbered_block(0, 25);
    std::vector<std::string> received;
    for (std::size_t first = 0; first < block->count();) {
        const auto written = sink->write(*block, first);
        ASSERT_TRUE(written.has_value()) << written.error().message;
        first += written->lines;
        for (auto& datagram : received_datagrams(reader, 0))
            received.push_back(std::move(datagram));
    }
    EXPECT_EQ(received, lines_of(*block));
}

TEST(DatagramSink, gives_up_for_now_when_its_reader_sleeps) {
    const TemporaryFolder folder;
    const auto reader = bound_unix_socket(folder.path("socket"), SOCK_DGRAM);
    const auto sink = unix_sink(folder.path("socket"));
    const auto block = numbered_block(0, 2000);
    std::size_t went = 0;
    Result<flowlog::Written> written;
    auto began = std::chrono::steady_clock::now();
    // net.unix.max_dgram_qlen limits the queue; its value depends on the system.
    while (went < block->count() && (written = sink->write(*block, went))) {
        went += written->lines;
        began = std::chrono::steady_clock::now();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().kind, ErrorKind::TimedOut);
    EXPECT_EQ(received_datagrams(reader, 0).size(), went);
    EXPECT_GE(sink->write(*block, went).value().lines, 1U);
}

TEST(DatagramSink, passes_over_a_record_that_no_datagram_can_hold) {
    const TemporaryFolder folder;
    const auto reader = bound_unix_socket(folder.path("socket"), SOCK_DGRAM);
    const auto sink = unix_sink(folder.path("socket"));
    const auto block = block_of({"a", std::string(16 << 20, 'b'), "c"});
    EXPECT_EQ(sink->write(*block, 0).value().lines, 1U);
    const auto passed = sink->write(*block, 1).value();
    EXPECT_EQ(passed.lines, 0U);
    EXPECT_EQ(passed.too_long, 1U);
    EXPECT_EQ(sink->write(*block, 2).value().lines, 1U);
    EXPECT_EQ(received_datagrams(reader, 0), (std::vector<std::string>{"a", "c"}));
}

TEST(DatagramSink, finds_a_reader_that_comes_later_and_one_that_comes_back) {
    const TemporaryFolder folder;
    const auto path = folder.path("socket");
    const auto sink = unix_sink(path);
    const auto block = block_of({"a"});
    EXPECT_EQ(sink->write(*block, 0).error().message, path + ": No such file or directory");
    {
        const auto reader = bound_unix_socket(path, SOCK_DGRAM);
        EXPECT_TRUE(sink->write(*block, 0).has_value());
    }
    EXPECT_EQ(sink->write(*block, 0).error().message, path + ": Connection refused");
    std::filesystem::remove(path);
    const auto reader = bound_unix_socket(path, SOCK_DGRAM);
    EXPECT_TRUE(sink->write(*block, 0).has_value());
    EXPECT_EQ(received_datagrams(reader, 0), std::vector<std::string>{"a"});
}

TEST(DatagramSink, has_no_address_for_a_path_that_is_too_long) {
    const auto sink = unix_sink("/" + std::string(200, 'x'));
    EXPECT_EQ(sink->write(*block_of({"a"}), 0).error().number, ENAMETOOLONG);
}

TEST(DatagramSink, writes_to_the_journal_in_its_own_protocol) {
    const TemporaryFolder folder;
    const auto reader = bound_unix_socket(folder.path("journal"), SOCK_DGRAM);
    const auto sink = flowlog::make_journald_sink(folder.path("journal"));
    const auto block = block_of({R"({"reason":"flushed","a":"b=c"})", "{}"});
    EXPECT_EQ(sink->write(*block, 0).value().lines, 2U);
    const auto datagrams = received_datagrams(reader, 0);
    ASSERT_EQ(datagrams.size(), 2U);
    EXPECT_EQ(journal_fields(datagrams[0]),
              (std::map<std::string, std::string>{{"MESSAGE", R"({"reason":"flushed","a":"b=c"})"},
                                                  {"PRIORITY", "6"},
                                                  {"SYSLOG_FACILITY", "3"},
                                                  {"SYSLOG_IDENTIFIER", "headgate"}}));
    EXPECT_EQ(journal_fields(datagrams[1])["MESSAGE"], "{}");
}

}  // namespace datagram_sink_test
}  // namespace headgate::testing
