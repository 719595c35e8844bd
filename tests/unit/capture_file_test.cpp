// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/capture_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>

#include "flow/flow_json.h"
#include "operations/operation_json.h"
#include "support/flow_builder.h"
#include "support/stored_operations.h"

namespace headgate::cli {
namespace capture_file_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

constexpr Timestamp kStart{1'795'000'000'123'456'789ns};

class CaptureFile : public ::testing::Test {
  protected:
    void SetUp() override { path_ = ::testing::TempDir() + "capture-" + std::to_string(::getpid()) + ".json"; }
    void TearDown() override { std::remove(path_.c_str()); }

    Result<CaptureFileFacts> read(const std::string& text) {
        std::ofstream{path_} << text;
        flows_.clear();
        return read_capture_file(path_, [&](std::span<const FlowRow> rows) -> Result<void> {
            for (const auto& row : rows)
                flows_.push_back(row.flow);
            return {};
        });
    }
    std::string error_of(const std::string& text) {
        const auto end = read(text);
        return end ? "" : end.error().message.substr(path_.size() + 2);
    }

    static std::vector<Flow> some_flows() {
        return {
            tcp_flow().established().with_id(1).with_mark(7).with_bytes(10, 20).started_at(kStart),
            tcp_flow().with_id(2).leaving_as("192.0.2.1", 5).redirected_to("10.9.9.9", 6).in_state(7),
            udp_flow().from("2001:db8:1::2", 1).to("2001:db8:2::2", 53).with_id(0xFFFFFFFF).in_zone(65535),
            icmp_flow().with_id(4),
            icmpv6_flow().with_id(5).in_zone(6, ZoneDirection::Original),
            sctp_flow().with_id(6).in_state(4).in_zone(7, ZoneDirection::Reply),
            FlowBuilder{Protocol::Gre}.with_id(8),
            FlowBuilder{Protocol::Dccp}.with_id(9).from("10.0.1.2", 0).to("10.0.2.2", 0),
            tcp_flow().with_id(10).from("2001:db8::1", 1).to("2001:db8::2", 2),
        };
    }
    static std::string row(const Flow& flow) {
        fmt::memory_buffer out;
        append_flow_json(out, {flow}, {.now = kStart + 60s});
        return fmt::to_string(out);
    }
    static FlowOperation capture(std::size_t flows) {
        FlowOperation operation;
        operation.counts.matched = flows;
        operation.id = "f8e42056-3535-4f06-bd26-0d2c6657f27d";
        operation.status = OperationStatus::Completed;
        operation.query = query_for("source=10.0.0.0/8,destination-port=80:90,protocol=tcp");
        operation.endpoint = {"edge", "eu-central-1a", "gw \"a\""};
        return operation;
    }
    static std::string ndjson(const std::vector<Flow>& flows) {
        std::string text;
        for (const auto& flow : flows)
            text += row(flow) + "\n";
        fmt::memory_buffer out;
        operations::append_request_members(out, capture(flows.size()));
        operations::append_result_members(out, capture(flows.size()));
        return text + "{" + fmt::to_string(out) + "}\n";
    }
    static std::string json(const std::vector<Flow>& flows, std::string_view space) {
        fmt::memory_buffer head;
        operations::append_request_members(head, capture(flows.size()));
        fmt::memory_buffer tail;
        operations::append_result_members(tail, capture(flows.size()));
        std::string rows;
        for (const auto& flow : flows)
            rows += (rows.empty() ? "" : ",") + std::string{space} + row(flow);
        return fmt::format("{{{},{}\"flows\":{}[{}]{}}}\n", fmt::to_string(head), space, space, rows,
                           fmt::to_string(tail));
    }
    /// A file has all of a flow except the type and code of an ICMP reply, which follow from the request's.
    static void expect_same(const Flow& read, Flow written) {
        if (is_icmp(written.original.protocol)) written.reply.icmp_type = read.reply.icmp_type;
        EXPECT_EQ(read, written);
    }

    std::string path_;
    std::vector<Flow> flows_;
};

TEST_F(CaptureFile, of_a_rematch_is_refused_as_the_ruleset_would_not_be_compared) {
    fmt::memory_buffer out;
    append_flow_json(out, judged_flows()[1], {});
    EXPECT_EQ(error_of(fmt::to_string(out) + "\n"),
              "flow 1 was judged by a rematch: flush its flows by its id, so that the ruleset is compared");
}

TEST_F(CaptureFile, in_ndjson_comes_back_as_it_was_written) {
    const auto end = read(ndjson(some_flows()));
    ASSERT_TRUE(end.has_value()) << end.error().message;
    EXPECT_TRUE(end->is_whole);
    ASSERT_EQ(flows_.size(), some_flows().size());
    for (std::size_t i = 0; i < flows_.size(); ++i)
        expect_same(flows_[i], some_flows()[i]);
}

TEST_F(CaptureFile, in_json_comes_back_however_it_is_spaced) {
    for (const auto* space : {"", " ", "\n", "\n\t  "}) {
        const auto end = read(json(some_flows(), space));
        ASSERT_TRUE(end.has_value()) << end.error().message;
        EXPECT_EQ(flows_.size(), some_flows().size());
        EXPECT_TRUE(end->is_whole);
    }
}

TEST_F(CaptureFile, without_flows_is_a_capture_all_the_same) {
    EXPECT_TRUE(read(json({}, "")).has_value());
    EXPECT_TRUE(read(ndjson({})).has_value());
    EXPECT_TRUE(flows_.empty());
}

TEST_F(CaptureFile, may_be_a_few_lines_picked_from_a_capture) {
    const auto end = read(row(some_flows()[0]) + "\n" + row(some_flows()[1]) + "\n");
    ASSERT_TRUE(end.has_value());
    EXPECT_FALSE(end->is_whole);
    EXPECT_EQ(end->endpoint, std::nullopt);
    EXPECT_EQ(flows_.size(), 2U);
}

TEST_F(CaptureFile, that_was_edited_is_a_part_of_its_capture) {
    auto text = ndjson(some_flows());
    EXPECT_FALSE(read(text.substr(text.find('\n') + 1)).value().is_whole);
    EXPECT_EQ(flows_.size(), some_flows().size() - 1);
}

TEST_F(CaptureFile, has_mapped_addresses_as_ipv4_unless_the_flow_is_one_of_ipv6) {
    const std::string rest = R"("protocol":"udp","source":"::ffff:10.0.0.1","source_port":1,)"
                             R"("destination":"::ffff:10.0.0.2","destination_port":2,"id":7,"zone":0})";
    ASSERT_TRUE(read(R"({"family":"ipv4",)" + rest + R"({"family":"ipv6",)" + rest).has_value());
    ASSERT_EQ(flows_.size(), 2U);
    EXPECT_EQ(flows_[0].original.source, parse_address("10.0.0.1").value());
    EXPECT_EQ(flows_[1].original.source, parse_address_as_written("::ffff:10.0.0.1").value());
}

TEST_F(CaptureFile, names_the_endpoint_of_its_capture) {
    for (const auto& text : {ndjson(some_flows()), json(some_flows(), "\n"), ndjson({})})
        EXPECT_EQ(read(text).value().endpoint, capture(0).endpoint);
    EXPECT_EQ(error_of(R"({"operation_id":"x","type":"FLOW_CAPTURE","firewall":1,"counts":{"matched":0}})"),
              "its summary: firewall: not a text");
}

TEST_F(CaptureFile, may_begin_with_a_byte_order_mark) {
    const std::string mark = "\xEF\xBB\xBF";
    for (const auto& text : {ndjson(some_flows()), json(some_flows(), ""), row(some_flows()[0])}) {
        const auto facts = read(mark + text);
        ASSERT_TRUE(facts.has_value()) << facts.error().message;
        EXPECT_EQ(*facts, read(text).value());
    }
    EXPECT_FALSE(read(mark.substr(0, 2) + ndjson(some_flows())).has_value());
    EXPECT_FALSE(read(mark + mark + ndjson(some_flows())).has_value());
}

TEST_F(CaptureFile, of_many_flows_is_read_in_blocks) {
    std::vector<Flow> many;
    for (std::uint16_t port = 1; port <= 1000; ++port)
        many.push_back(tcp_flow().from_port(port).with_id(port));
    ASSERT_TRUE(read(json(many, "\n")).has_value());
    ASSERT_EQ(flows_.size(), many.size());
    EXPECT_EQ(flows_.back().original, many.back().original);
}

TEST_F(CaptureFile, that_is_foreign_or_cut_short_is_an_error_with_its_place) {
    const auto whole = ndjson(some_flows());
    EXPECT_EQ(error_of(""), "holds no flow and no summary of a capture");
    EXPECT_EQ(error_of("tcp 6 431999 ESTABLISHED src=10.0.0.1"), "is not JSON as headgate writes it");
    EXPECT_EQ(error_of("[1,2]"), "is not JSON as headgate writes it");
    EXPECT_EQ(error_of("{\"a\":1}"), "flow 1: protocol: missing");
    EXPECT_EQ(error_of(whole.substr(0, 700)), "ends in the middle of an object");
    EXPECT_EQ(error_of(whole + row(some_flows()[0])), "something follows the summary");
    EXPECT_EQ(error_of("{\"operation_id\":\"x\",\"type\":\"FLOW_FLUSH\"}"),
              "is not the result of a capture, but of FLOW_FLUSH");
    EXPECT_EQ(error_of("{\"a\" 1}"), "entry 1 is not valid JSON");
    EXPECT_EQ(error_of(R"({"flows":[1,2]})"), "has a \"flows\" that is not a list of objects");
    EXPECT_EQ(error_of(R"({"flows":[[{"id":1}]]})"), "has a \"flows\" that is not a list of objects");
    EXPECT_EQ(error_of("}"), "\"}\" closes nothing");
    EXPECT_EQ(error_of(std::string(70'000, '{')), "has an object longer than 65536 bytes");
}

TEST_F(CaptureFile, with_a_wrong_member_is_an_error_that_names_it) {
    const auto with = [&](std::string_view from, std::string_view to) {
        auto text = row(tcp_flow().with_id(5).started_at(kStart));
        text.replace(text.find(from), from.size(), to);
        return error_of(text);
    };
    EXPECT_EQ(with("\"id\":5", "\"id\":-5"), "flow 1: id: out of range");
    EXPECT_EQ(with("\"id\":5", "\"id\":\"5\""), "flow 1: id: not a whole number");
    EXPECT_EQ(with("\"id\":5,", ""), "flow 1: id: missing");
    EXPECT_EQ(with("40000", "70000"), "flow 1: source_port: out of range");
    EXPECT_EQ(with("\"10.0.1.2\"", "\"2001:db8::1\""), "flow 1: destination: not of the source's family");
    EXPECT_EQ(with("\"10.0.1.2\"", "12"), "flow 1: source: not a text");
    EXPECT_EQ(with("\"zone\":0", "\"zone\":0,\"zone_direction\":\"up\""),
              "flow 1: zone_direction: \"up\" is none of both, original and reply");
    EXPECT_NE(with("2026-", "20x6-"), "");
    EXPECT_EQ(with("\"CONFIRMED\"", "null,5"), "") << "what only describes a flow is not insisted on";
}

TEST_F(CaptureFile, that_is_not_there_is_a_system_error) {
    const auto nothing = [](std::span<const FlowRow>) -> Result<void> { return {}; };
    EXPECT_EQ(read_capture_file("/nonexistent/file", nothing).error().number, ENOENT);
    EXPECT_EQ(read_capture_file("/", nothing).error().number, EISDIR);
}

TEST_F(CaptureFile, a_pipe_without_a_writer_is_given_up) {
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    const auto nothing = [](std::span<const FlowRow>) { return Result<void>{}; };
    const auto given_up = read_capture_file(path_, nothing, 20ms);
    ASSERT_FALSE(given_up);
    EXPECT_EQ(given_up.error().kind, ErrorKind::TimedOut);
    const FileDescriptor silent{::open(path_.c_str(), O_RDWR | O_CLOEXEC)};
    EXPECT_EQ(read_capture_file(path_, nothing, 20ms).error().kind, ErrorKind::TimedOut);
    const std::string half = R"({"id":1,)";
    ASSERT_EQ(::write(silent.get(), half.data(), half.size()), static_cast<ssize_t>(half.size()));
    EXPECT_EQ(read_capture_file(path_, nothing, 20ms).error().kind, ErrorKind::TimedOut) << "half of it is not all";
}

TEST_F(CaptureFile, a_pipe_is_read_to_its_end) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const FileDescriptor reader{ends[0]};
    {
        const FileDescriptor writer{ends[1]};
        for (const auto& flow : some_flows()) {
            const auto text = row(flow) + "\n";
            ASSERT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
        }
    }
    std::size_t flows = 0;
    const auto count = [&](std::span<const FlowRow> rows) -> Result<void> {
        flows += rows.size();
        return {};
    };
    const auto read = read_capture_file(fmt::format("/dev/fd/{}", reader.get()), count, 10s);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(flows, some_flows().size());
}

TEST_F(CaptureFile, a_device_is_no_file) {
    const auto nothing = [](std::span<const FlowRow>) { return Result<void>{}; };
    EXPECT_EQ(read_capture_file("/dev/zero", nothing).error().kind, ErrorKind::Invalid);
}

}  // namespace capture_file_test
}  // namespace headgate::cli
