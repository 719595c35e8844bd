// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/record_reader.h"

#include <gtest/gtest.h>

#include "flowlog/record_format.h"
#include "support/ended_flows.h"

namespace headgate::flowlog {
namespace record_reader_test {

using namespace headgate::testing;
using config::FlowLogFormat;

template <typename Brought>
std::string line_of(FlowLogFormat format, const Brought& brought, std::size_t index = 0) {
    LineBlock block;
    make_format(format)->append(block, brought);
    return std::string{block.line(index)};
}

LoggedFlow read(const std::string& line) {
    const auto record = parse_record(line);
    EXPECT_TRUE(record) << (record ? "" : record.error().message);
    EXPECT_TRUE(record && *record) << line;
    return record.value().value();
}

std::string error_of(const std::string& line) {
    const auto record = parse_record(line);
    return record ? "none" : record.error().message;
}

TEST(RecordReader, parses_what_a_record_of_a_flush_contains) {
    const auto written = flushed_flow();
    const auto flow = read(line_of(FlowLogFormat::Eve, written));
    EXPECT_EQ(flow.tuple, written.flow.original);
    EXPECT_EQ(flow.ended_at, "2025-08-12T13:05:03.931841+0000");
    EXPECT_EQ(flow.reason, EndReason::Flushed);
    EXPECT_EQ(flow.last_state, "ESTABLISHED");
    EXPECT_EQ(flow.protocol_state, "established");
    EXPECT_EQ(flow.age, std::chrono::seconds{4});
    EXPECT_EQ(flow.packets, 22U);
    EXPECT_EQ(flow.bytes, 53940U);
    EXPECT_EQ(flow.firewall, "edge");
    EXPECT_EQ(flow.availability_zone, "a");
    EXPECT_EQ(flow.operation_id, written.flush->operation_id);
    EXPECT_EQ(flow.user, "alice");
    EXPECT_EQ(flow.port_id, std::nullopt);
}

TEST(RecordReader, reads_each_direction_of_the_format_of_aws) {
    const auto written = flushed_flow();
    const auto there = read(line_of(FlowLogFormat::Aws, written));
    const auto back = read(line_of(FlowLogFormat::Aws, written, 1));
    EXPECT_EQ(there.tuple, written.flow.original);
    EXPECT_EQ(back.tuple, swapped(written.flow.original));
    EXPECT_EQ(there.packets, 12U);
    EXPECT_EQ(back.bytes, 52100U);
    EXPECT_EQ(back.operation_id, there.operation_id);
}

TEST(RecordReader, keeps_absent_what_a_record_does_not_contain) {
    const auto ping = read(line_of(FlowLogFormat::Eve, timed_out_ping()));
    EXPECT_EQ(ping.tuple.icmp_type, 8);
    EXPECT_EQ(ping.age, std::nullopt);
    EXPECT_EQ(ping.packets, std::nullopt);
    EXPECT_EQ(ping.bytes, std::nullopt);
    EXPECT_EQ(ping.operation_id, "");

    const auto foreign = read(line_of(FlowLogFormat::Eve, foreign_flushed_flow()));
    EXPECT_EQ(foreign.port_id, 4711U);
    EXPECT_EQ(foreign.process, "conntrack");
}

TEST(RecordReader, passes_over_records_of_other_kinds) {
    for (const auto format : {FlowLogFormat::Eve, FlowLogFormat::Aws}) {
        const auto record = parse_record(line_of(format, lost_flows()));
        ASSERT_TRUE(record);
        EXPECT_FALSE(*record);
    }
    EXPECT_EQ(parse_record(R"({"event_type":"alert"})").value(), std::nullopt);
}

TEST(RecordReader, parses_a_record_of_lost_ones) {
    for (const auto format : {FlowLogFormat::Eve, FlowLogFormat::Aws}) {
        EXPECT_TRUE(parse_loss(line_of(format, lost_flows())).value().starts_with("1200 flows ended between"));
        EXPECT_EQ(parse_loss(line_of(format, flushed_flow())), "");
    }
    EXPECT_EQ(parse_loss(R"({"event_type":"engine","engine":{"message":"Suricata's own"}})"), "");
}

TEST(RecordReader, an_error_names_the_member_and_the_rule) {
    EXPECT_EQ(error_of(""), "not valid JSON");
    EXPECT_EQ(error_of("[]"), "not a JSON object");
    EXPECT_EQ(error_of("{}"), "event_type: missing");
    EXPECT_EQ(error_of(R"({"event":{"event_type":3}})"), "event.event_type: not a text");
    EXPECT_EQ(error_of(R"({"event_type":"flow","timestamp":"t","src_ip":"10.0.0.x"})"),
              "src_ip: \"10.0.0.x\" is not an IPv4 or IPv6 address");
    const std::string ends = R"("event_type":"flow","timestamp":"t","src_ip":"10.0.0.1",)";
    EXPECT_EQ(error_of("{" + ends + R"("dest_ip":"::1","proto":"TCP","flow":{}})"),
              "dest_ip: not of the family of src_ip");
    EXPECT_EQ(error_of("{" + ends + R"("dest_ip":"10.0.0.2","src_port":65536,"proto":"TCP","flow":{}})"),
              "src_port: out of range");
    EXPECT_EQ(error_of("{" + ends + R"("dest_ip":"10.0.0.2","proto":"TCP"})"), "flow: missing");
    EXPECT_EQ(error_of("{" + ends + R"("dest_ip":"10.0.0.2","proto":"TCP","flow":{"age":-1}})"),
              "flow.age: out of range");
    EXPECT_EQ(error_of(std::string(70'000, ' ')), "longer than 65536 bytes");
}

}  // namespace record_reader_test
}  // namespace headgate::flowlog
