// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/record_format.h"

#include <gtest/gtest.h>

#include "flow/json_reader.h"
#include "support/ended_flows.h"

namespace headgate::flowlog {
namespace record_format_test {

using namespace headgate::testing;
using config::FlowLogFormat;

template <typename... Brought>
std::vector<std::string> lines_of(FlowLogFormat format, const Brought&... brought) {
    LineBlock block;
    const auto maker = make_format(format);
    (maker->append(block, brought), ...);
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < block.count(); ++i)
        lines.emplace_back(block.line(i));
    return lines;
}

std::string eve(const EndedFlow& flow) {
    return lines_of(FlowLogFormat::Eve, flow).at(0);
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(EveFormat, has_all_that_is_known_of_a_flush_by_headgate) {
    EXPECT_EQ(eve(flushed_flow()),
              R"({"timestamp":"2025-08-12T13:05:03.931841+0000","flow_id":1649511365524158,"event_type":"flow",)"
              R"("src_ip":"10.0.1.2","src_port":43210,"dest_ip":"203.0.113.7","dest_port":443,"proto":"TCP","ip_v":4,)"
              R"("community_id":"1:uHmV0uy9ceDK8qcYCgcbsyc3bZQ=",)"
              R"("flow":{"pkts_toserver":12,"pkts_toclient":10,"bytes_toserver":1840,"bytes_toclient":52100,)"
              R"("start":"2025-08-12T13:04:59.731000+0000","end":"2025-08-12T13:05:03.931841+0000","age":4,)"
              R"("state":"established","reason":"flushed","last_state":"ESTABLISHED"},"tcp":{"state":"established"},)"
              R"("nat":{"src_ip":"198.51.100.1","src_port":61000,"dest_ip":"203.0.113.7","dest_port":443},)"
              R"("mark":5,"zone":7,"headgate":{"firewall":"edge","availability_zone":"a",)"
              R"("operation_id":"4f7b2c1e-9a60-4d0f-8b8e-2b1f0c9d7e31","user":"alice",)"
              R"("stream_exception_policy":"reject"}})");
}

TEST(EveFormat, names_who_else_deleted_a_flow) {
    const auto line = eve(foreign_flushed_flow());
    EXPECT_TRUE(contains(line, R"("headgate":{"firewall":"edge","availability_zone":"a",)"
                               R"("flushed_by":{"port_id":4711,"process":"conntrack"}}})"))
        << line;
    EXPECT_TRUE(contains(line, R"("ip_v":6)")) << line;
    EXPECT_FALSE(contains(line, "\"tcp\"")) << line;
    EXPECT_FALSE(contains(line, "\"nat\"")) << line;

    auto unknown = foreign_flushed_flow();
    unknown.foreign = std::make_shared<ExternalDelete>(ExternalDelete{4294966000, ""});
    EXPECT_TRUE(contains(eve(unknown), R"("flushed_by":{"port_id":4294966000}}})"));
}

TEST(EveFormat, leaves_out_what_the_kernel_did_not_report) {
    EXPECT_EQ(eve(timed_out_ping()),
              R"({"timestamp":"2025-08-12T13:05:03.931841+0000","flow_id":9,"event_type":"flow","src_ip":"10.0.1.2",)"
              R"("dest_ip":"10.0.2.2","proto":"ICMP","icmp_type":8,"icmp_code":0,"ip_v":4,)"
              R"("community_id":"1:ZxAte3ToWHZz8xPgs3jzJuQgKwQ=","flow":{"end":"2025-08-12T13:05:03.931841+0000",)"
              R"("state":"established","reason":"timeout","last_state":"ESTABLISHED"},)"
              R"("headgate":{"firewall":"edge","availability_zone":"a"}})");

    auto silent = ended(tcp_flow(), std::nullopt);
    silent.endpoint = nullptr;
    const auto line = eve(silent);
    EXPECT_TRUE(contains(line, R"("age":4}})")) << line;  // no state, reason or last_state, and no further member
}

TEST(EveFormat, of_a_flow_that_an_operation_lost_sight_of_names_the_operation_alone) {
    auto flow = flushed_flow();
    flow.reason.reset();
    const auto line = eve(flow);
    EXPECT_TRUE(contains(line, R"("availability_zone":"a","operation_id":"4f7b2c1e-9a60-4d0f-8b8e-2b1f0c9d7e31"}})"))
        << line;
    EXPECT_FALSE(contains(line, "reason"));
}

TEST(EveFormat, has_no_age_where_the_clock_was_set_meanwhile) {
    auto flow = flushed_flow();
    flow.machine_up = std::chrono::seconds{5};
    EXPECT_TRUE(contains(eve(flow), R"(,"age":4,)"));
    flow.machine_up = std::chrono::seconds{3};
    EXPECT_FALSE(contains(eve(flow), R"("age")"));
    flow.machine_up.reset();
    flow.flow.started = time_of("2025-08-12T14:00:00Z");
    EXPECT_FALSE(contains(eve(flow), R"("age")"));
}

TEST(EveFormat, has_no_ports_where_the_kernel_reported_none) {
    const auto dccp = FlowBuilder{Protocol::Dccp}.from("10.0.1.2", 0).to("10.0.2.2", 0);
    EXPECT_FALSE(contains(eve(ended(dccp, EndReason::Timeout)), "_port"));
}

TEST(EveFormat, reports_each_flow_with_its_own_origin) {
    auto elsewhere = flushed_flow();
    elsewhere.endpoint = endpoint_named("core", "b");
    elsewhere.flush.reset();
    const auto lines = lines_of(FlowLogFormat::Eve, flushed_flow(), elsewhere, foreign_flushed_flow(), flushed_flow());
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_TRUE(contains(lines[1], R"("headgate":{"firewall":"core","availability_zone":"b"}})")) << lines[1];
    EXPECT_EQ(lines[0], lines[3]);
}

TEST(EveFormat, writes_the_second_of_each_time) {
    auto flow = flushed_flow();
    flow.flow.started.reset();
    flow.flow.stopped.reset();
    LineBlock block;
    const auto maker = make_format(FlowLogFormat::Eve);
    for (const auto* time : {"1999-12-31T23:59:59.999999999Z", "2000-01-01T00:00:00Z", "2024-02-29T12:00:00.000001Z"}) {
        flow.ended_at = time_of(time);
        maker->append(block, flow);
    }
    EXPECT_TRUE(block.line(0).starts_with(R"({"timestamp":"1999-12-31T23:59:59.999999+0000")"));
    EXPECT_TRUE(block.line(1).starts_with(R"({"timestamp":"2000-01-01T00:00:00.000000+0000")"));
    EXPECT_TRUE(block.line(2).starts_with(R"({"timestamp":"2024-02-29T12:00:00.000001+0000")"));
}

TEST(EveFormat, gives_a_flow_an_id_that_every_reader_of_json_keeps_and_that_begins_with_the_kernels) {
    auto flow = flushed_flow();
    flow.flow.id = 0xFFFFFFFF;
    for (const auto* time : {"1970-01-01T00:00:00Z", "2025-08-12T13:05:03Z", "2036-07-18T13:20:15Z"}) {
        flow.flow.started = time_of(time);
        const auto object = parse_json_object(eve(flow)).value();
        const auto id = object.number<std::uint64_t>("flow_id").value();
        EXPECT_LT(id, std::uint64_t{1} << 53U);
        EXPECT_EQ(id % 4294967296, 0xFFFFFFFFU);
    }
}

TEST(EveFormat, survives_names_that_are_no_utf8_and_that_break_strings) {
    auto flow = foreign_flushed_flow();
    flow.endpoint = endpoint_named("ed\"ge\\", "a\xff");
    flow.foreign = std::make_shared<ExternalDelete>(ExternalDelete{1, "a\n\xc3(\x01"});
    const auto line = eve(flow);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto object = parse_json_object(line);
    ASSERT_TRUE(object) << line;
    const auto headgate = object->object("headgate").value();
    EXPECT_EQ(headgate.text("firewall"), "ed\"ge\\");
    EXPECT_EQ(headgate.text("availability_zone"), "a\xEF\xBF\xBD");
    EXPECT_EQ(headgate.object("flushed_by").value().text("process"), "a\n\xEF\xBF\xBD(\x01");
}

TEST(EveFormat, reports_how_many_records_are_missing_and_why) {
    EXPECT_EQ(lines_of(FlowLogFormat::Eve, lost_flows()).at(0),
              R"({"timestamp":"2025-08-12T13:05:03.500000+0000","event_type":"engine","engine":{"module":"flow-log",)"
              R"("message":"1200 flows ended between 2025-08-12T13:05:00.000000+0000 and )"
              R"(2025-08-12T13:05:03.500000+0000 without a record: the kernel had no room for their events"},)"
              R"("headgate":{"firewall":"edge","availability_zone":"a","lost":{"count":1200,)"
              R"("since":"2025-08-12T13:05:00.000000+0000","until":"2025-08-12T13:05:03.500000+0000",)"
              R"("cause":"the kernel had no room for their events"}}})");
    auto anywhere = lost_flows();
    anywhere.endpoint = nullptr;
    EXPECT_TRUE(contains(lines_of(FlowLogFormat::Eve, anywhere).at(0), R"("headgate":{"lost":{)"));
}

TEST(AwsFormat, writes_each_direction_in_an_envelope) {
    const auto lines = lines_of(FlowLogFormat::Aws, flushed_flow());
    ASSERT_EQ(lines.size(), 2U);
    const std::string tail =
        R"("start":"2025-08-12T13:04:59.731000+0000","end":"2025-08-12T13:05:03.931841+0000","age":4,)"
        R"("state":"established","reason":"flushed","last_state":"ESTABLISHED"},"tcp":{"state":"established"},"nat":{)";
    const std::string origin = R"(},"mark":5,"zone":7,"headgate":{"firewall":"edge","availability_zone":"a",)"
                               R"("operation_id":"4f7b2c1e-9a60-4d0f-8b8e-2b1f0c9d7e31","user":"alice",)"
                               R"("stream_exception_policy":"reject"}}})";
    const std::string head =
        R"({"firewall_name":"edge","availability_zone":"a","event_timestamp":"1755003903","event":{)"
        R"("timestamp":"2025-08-12T13:05:03.931841+0000","flow_id":1649511365524158,"event_type":"netflow",)";
    EXPECT_EQ(
        lines[0],
        head +
            R"("src_ip":"10.0.1.2","src_port":43210,"dest_ip":"203.0.113.7","dest_port":443,"proto":"TCP","ip_v":4,)"
            R"("community_id":"1:uHmV0uy9ceDK8qcYCgcbsyc3bZQ=","netflow":{"pkts":12,"bytes":1840,)" +
            tail + R"("src_ip":"198.51.100.1","src_port":61000,"dest_ip":"203.0.113.7","dest_port":443)" + origin);
    EXPECT_EQ(
        lines[1],
        head +
            R"("src_ip":"203.0.113.7","src_port":443,"dest_ip":"10.0.1.2","dest_port":43210,"proto":"TCP","ip_v":4,)"
            R"("community_id":"1:uHmV0uy9ceDK8qcYCgcbsyc3bZQ=","netflow":{"pkts":10,"bytes":52100,)" +
            tail + R"("src_ip":"203.0.113.7","src_port":443,"dest_ip":"198.51.100.1","dest_port":61000)" + origin);
}

TEST(AwsFormat, has_an_answer_where_there_was_one) {
    auto unanswered = flushed_flow();
    unanswered.flow.counters_reply = Counters{};
    EXPECT_EQ(lines_of(FlowLogFormat::Aws, unanswered).size(), 1U);

    auto ping = timed_out_ping();  // without counters, but the kernel saw the reply
    const auto lines = lines_of(FlowLogFormat::Aws, ping);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(contains(lines[0], R"("proto":"ICMP","icmp_type":8,)"));
    EXPECT_TRUE(contains(lines[1], R"("proto":"ICMP","icmp_type":0,)"));
    EXPECT_TRUE(contains(lines[1], R"("netflow":{"end")"));
    ping.flow.status &= ~flow_status::kSeenReply;
    EXPECT_EQ(lines_of(FlowLogFormat::Aws, ping).size(), 1U);
}

TEST(AwsFormat, puts_losses_into_the_envelope_too) {
    const auto line = lines_of(FlowLogFormat::Aws, lost_flows()).at(0);
    EXPECT_TRUE(line.starts_with(R"({"firewall_name":"edge","availability_zone":"a","event_timestamp":"1755003903",)"
                                 R"("event":{"timestamp":"2025-08-12T13:05:03.500000+0000","event_type":"engine",)"))
        << line;
    EXPECT_TRUE(parse_json_object(line));
}

TEST(RecordFormat, protocol_names_are_read_back) {
    for (unsigned number = 0; number < 256; ++number) {
        const Protocol protocol{static_cast<std::uint8_t>(number)};
        EXPECT_EQ(parse_protocol(eve_name(protocol)), protocol);
    }
    EXPECT_EQ(eve_name(Protocol::Icmpv6), "IPv6-ICMP");
    EXPECT_EQ(eve_name(Protocol{200}), "200");
}

}  // namespace record_format_test
}  // namespace headgate::flowlog
