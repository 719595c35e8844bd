// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <regex>

#include "base/text.h"
#include "flowlog/sinks/syslog.h"
#include "support/line_blocks.h"
#include "support/reading_sockets.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace syslog_sink_test {

using namespace std::chrono_literals;
using config::SyslogTransport;

std::unique_ptr<flowlog::Sink> inet_sink(SyslogTransport transport, std::uint16_t port) {
    return flowlog::make_syslog_sink(
        {.transport = transport, .address = parse_address("127.0.0.1").value(), .port = port, .socket = {}});
}

std::unique_ptr<flowlog::Sink> local_sink(const std::string& path) {
    return flowlog::make_syslog_sink({.transport = SyslogTransport::Unix, .address = {}, .port = 0, .socket = path});
}

/// The record in a message; empty when the header does not conform to RFC 5424. The expression matches the header only,
/// because std::regex recurses once per character.
std::string record_in(const std::string& message) {
    static const std::regex shape{
        R"(<30>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} headgate (\d+) flow - )"};
    const auto header = message.substr(0, message.find(" - ") + 3);
    std::smatch parts;
    if (!std::regex_match(header, parts, shape) || parts[1] != std::to_string(::getpid())) return {};
    return message.substr(header.size());
}

std::vector<std::string> records_in(const std::vector<std::string>& messages) {
    std::vector<std::string> records;
    for (const auto& message : messages)
        records.push_back(record_in(message));
    return records;
}

/// The messages of a stream with octet counting (RFC 6587), without an incomplete one at its end.
std::vector<std::string> counted_messages(std::string_view stream) {
    std::vector<std::string> messages;
    while (!stream.empty()) {
        const auto size = parse_unsigned<std::size_t>(take_until(stream, ' '));
        if (!size || *size > stream.size()) break;
        messages.emplace_back(stream.substr(0, *size));
        stream.remove_prefix(*size);
    }
    return messages;
}

FileDescriptor accepted(const FileDescriptor& listener, int room = 0) {
    if (room != 0) ::setsockopt(listener.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    EXPECT_TRUE(is_readable(listener.get(), 1000));
    return FileDescriptor{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
}

TEST(SyslogHeader, is_that_of_rfc_5424_with_microseconds_in_utc) {
    using namespace std::chrono;
    const auto time = sys_days{2026y / November / 21} + 9h + 30min + 5s + 42us;
    EXPECT_EQ(flowlog::syslog_header(time, "gw-a", 4711),
              "<30>1 2026-11-21T09:30:05.000042Z gw-a headgate 4711 flow - ");
}

TEST(SyslogSink, sends_a_record_a_datagram_by_udp) {
    const auto reader = bound_inet_socket(SOCK_DGRAM);
    const auto sink = inet_sink(SyslogTransport::Udp, port_of(reader));
    const auto block = numbered_block(0, 50);
    EXPECT_EQ(sink->write(*block, 0).value().lines, 50U);
    EXPECT_EQ(records_in(received_datagrams(reader)), lines_of(*block));
}

TEST(SyslogSink, by_udp_passes_over_a_record_that_no_datagram_can_hold) {
    const auto reader = bound_inet_socket(SOCK_DGRAM);
    const auto sink = inet_sink(SyslogTransport::Udp, port_of(reader));
    EXPECT_EQ(sink->write(*block_of({std::string(70'000, 'x'), "b"}), 0).value().too_long, 1U);
}

TEST(SyslogSink, learns_that_no_server_listens_on_udp) {
    const auto port = port_of(bound_inet_socket(SOCK_DGRAM));
    const auto sink = inet_sink(SyslogTransport::Udp, port);
    const auto block = block_of({"a"});
    static_cast<void>(sink->write(*block, 0));
    EXPECT_EQ(sink->write(*block, 0).error().message, fmt::format("127.0.0.1:{}: Connection refused", port));
}

TEST(SyslogSink, sends_datagrams_to_a_local_socket) {
    const TemporaryFolder folder;
    const auto reader = bound_unix_socket(folder.path("log"), SOCK_DGRAM);
    const auto sink = local_sink(folder.path("log"));
    EXPECT_EQ(sink->write(*block_of({"{}", R"({"a":1})"}), 0).value().lines, 2U);
    EXPECT_EQ(records_in(received_datagrams(reader)), (std::vector<std::string>{"{}", R"({"a":1})"}));
}

TEST(SyslogSink, sends_lines_to_a_local_socket_that_is_a_stream) {
    const TemporaryFolder folder;
    const auto listener = bound_unix_socket(folder.path("log"), SOCK_STREAM);
    const auto sink = local_sink(folder.path("log"));
    EXPECT_EQ(sink->write(*block_of({"{}", R"({"a":1})"}), 0).value().lines, 2U);
    const auto reader = accepted(listener);
    EXPECT_EQ(records_in(lines_of(received_bytes(reader.get()))), (std::vector<std::string>{"{}", R"({"a":1})"}));
}

TEST(SyslogSink, counts_octets_by_tcp) {
    const auto listener = bound_inet_socket(SOCK_STREAM);
    const auto sink = inet_sink(SyslogTransport::Tcp, port_of(listener));
    const auto block = numbered_block(0, 20);
    EXPECT_EQ(sink->write(*block, 0).value().lines, 20U);
    EXPECT_EQ(sink->write(*block, 10).value().lines, 10U) << "over the same connection";
    const auto reader = accepted(listener);
    auto expected = lines_of(*block);
    for (const auto& line : lines_of(*numbered_block(10, 10)))
        expected.push_back(line);
    EXPECT_EQ(records_in(counted_messages(received_bytes(reader.get()))), expected);
}

TEST(SyslogSink, sends_again_as_a_whole_what_went_in_part_when_the_connection_broke) {
    const auto listener = bound_inet_socket(SOCK_STREAM);
    const auto sink = inet_sink(SyslogTransport::Tcp, port_of(listener));
    const auto block = numbered_block(0, 3000, 10'000);
    std::size_t first = sink->write(*block, 0).value().lines;
    auto reader = accepted(listener, 20'000);
    Result<flowlog::Written> written;
    while ((written = sink->write(*block, first)) && first < block->count())
        first += written->lines;
    ASSERT_FALSE(written.has_value()) << "a reader that sleeps takes less than 30 MB";
    EXPECT_EQ(written.error().kind, ErrorKind::TimedOut);
    const auto arrived = counted_messages(received_bytes(reader.get(), 300));
    EXPECT_EQ(arrived.size(), first) << "the last one was sent in part";

    reader = FileDescriptor{};
    const auto again = sink->write(*block, first);
    const auto next = again ? again : sink->write(*block, first);
    ASSERT_TRUE(next.has_value()) << next.error().message;
    reader = accepted(listener);
    const auto messages = counted_messages(received_bytes(reader.get()));
    ASSERT_FALSE(messages.empty());
    EXPECT_EQ(record_in(messages[0]), block->line(first));
}

TEST(SyslogSink, notices_before_it_sends_that_the_reader_has_closed) {
    const auto listener = bound_inet_socket(SOCK_STREAM);
    const auto sink = inet_sink(SyslogTransport::Tcp, port_of(listener));
    EXPECT_TRUE(sink->write(*block_of({"a"}), 0).has_value());
    accepted(listener);
    EXPECT_TRUE(sink->write(*block_of({"b"}), 0).has_value());
    const auto reader = accepted(listener);
    EXPECT_EQ(records_in(counted_messages(received_bytes(reader.get()))), std::vector<std::string>{"b"});
}

TEST(SyslogSink, reports_that_no_server_listens_on_tcp) {
    const auto port = port_of(bound_inet_socket(SOCK_DGRAM));
    const auto sink = inet_sink(SyslogTransport::Tcp, port);
    EXPECT_EQ(sink->write(*block_of({"a"}), 0).error().message, fmt::format("127.0.0.1:{}: Connection refused", port));
}

TEST(SyslogSink, does_not_wait_for_longer_than_a_second_for_a_connection) {
    // A listener whose queue is full does not answer a SYN (tcp_ipv4.c, tcp_conn_request).
    const FileDescriptor listener = bound_inet_socket(SOCK_STREAM);
    ::listen(listener.get(), 0);
    const auto port = port_of(listener);
    const auto fills_it = inet_sink(SyslogTransport::Tcp, port);
    ASSERT_TRUE(fills_it->write(*block_of({"a"}), 0).has_value());
    const auto sink = inet_sink(SyslogTransport::Tcp, port);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(sink->write(*block_of({"b"}), 0).error().kind, ErrorKind::TimedOut);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
}

}  // namespace syslog_sink_test
}  // namespace headgate::testing
