// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/flow_csv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/text.h"
#include "support/stored_operations.h"

namespace headgate {
namespace flow_csv_test {

using namespace headgate::testing;

/// The fields of a line without quotes.
std::vector<std::string> fields_of(std::string_view line) {
    EXPECT_TRUE(line.ends_with("\r\n"));
    line.remove_suffix(2);
    std::vector<std::string> fields;
    for (auto commas = std::ranges::count(line, ','); commas >= 0; --commas)
        fields.emplace_back(take_until(line, ','));
    return fields;
}

std::vector<std::string> columns() {
    fmt::memory_buffer out;
    append_flow_csv_header(out);
    return fields_of(fmt::to_string(out));
}

/// The fields that are not empty, by column name.
std::map<std::string, std::string> told_of(const Flow& flow, Timestamp now = {}, std::optional<Outcome> outcome = {},
                                           int error = 0) {
    fmt::memory_buffer out;
    append_flow_csv(out, {flow, outcome, error}, {.now = now});
    const auto fields = fields_of(fmt::to_string(out));
    const auto names = columns();
    EXPECT_EQ(fields.size(), names.size());
    std::map<std::string, std::string> told;
    for (std::size_t i = 0; i < std::min(fields.size(), names.size()); ++i)
        if (!fields[i].empty()) told.emplace(names[i], fields[i]);
    return told;
}

using Told = std::map<std::string, std::string>;

TEST(FlowCsv, has_the_columns_that_are_promised) {
    fmt::memory_buffer out;
    append_flow_csv_header(out);
    EXPECT_EQ(
        fmt::to_string(out),
        "id,family,protocol,source,source_port,destination,destination_port,icmp_type,icmp_code,icmp_id,source_key,"
        "destination_key,translated_source,translated_source_port,translated_destination,"
        "translated_destination_port,translated_icmp_type,translated_icmp_code,translated_icmp_id,"
        "translated_source_key,translated_destination_key,state,protocol_state,status,started_at,age_seconds,"
        "timeout_seconds,packets,bytes,packets_reply,bytes_reply,mark,zone,zone_direction,outcome,error\r\n");
}

TEST(FlowCsv, has_what_is_known_and_leaves_the_rest_empty) {
    const Timestamp begun{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
    const auto flow =
        tcp_flow().established().leaving_as("192.0.2.1", 1025).with_id(7).with_bytes(10, 20).started_at(begun).flow();
    EXPECT_EQ(told_of(flow, begun + std::chrono::seconds{9}, Outcome::Failed, EPERM),
              (Told{{"id", "7"},
                    {"family", "ipv4"},
                    {"protocol", "tcp"},
                    {"source", "10.0.1.2"},
                    {"source_port", "40000"},
                    {"destination", "10.0.2.2"},
                    {"destination_port", "80"},
                    {"translated_source", "192.0.2.1"},
                    {"translated_source_port", "1025"},
                    {"translated_destination", "10.0.2.2"},
                    {"translated_destination_port", "80"},
                    {"state", "ESTABLISHED"},
                    {"protocol_state", "ESTABLISHED"},
                    {"status", "SEEN_REPLY ASSURED CONFIRMED"},
                    {"started_at", "2026-11-21T00:00:00.000000000Z"},
                    {"age_seconds", "9"},
                    {"timeout_seconds", "600"},
                    {"packets", "1"},
                    {"bytes", "10"},
                    {"packets_reply", "1"},
                    {"bytes_reply", "20"},
                    {"mark", "0"},
                    {"zone", "0"},
                    {"outcome", "failed"},
                    {"error", "Operation not permitted"}}));
}

TEST(FlowCsv, has_columns_for_icmp_gre_and_zones) {
    const auto ping = told_of(FlowBuilder{Protocol::Icmp}.echo(12).in_zone(5, ZoneDirection::Reply).flow());
    EXPECT_EQ(ping.at("icmp_type"), "8");
    EXPECT_EQ(ping.at("icmp_code"), "0");
    EXPECT_EQ(ping.at("icmp_id"), "12");
    EXPECT_EQ(ping.at("zone"), "5");
    EXPECT_EQ(ping.at("zone_direction"), "reply");
    EXPECT_FALSE(ping.contains("source_port"));
    const auto tunnel = told_of(FlowBuilder{Protocol::Gre}.from_port(3).to_port(4).flow());
    EXPECT_EQ(tunnel.at("source_key"), "3");
    EXPECT_EQ(tunnel.at("destination_key"), "4");
    EXPECT_FALSE(tunnel.contains("destination_port"));
}

TEST(FlowCsv, of_judged_flows_has_columns_for_verdicts_behind_the_others) {
    const auto line = [](const FlowRow& row) {
        fmt::memory_buffer out;
        append_flow_csv(out, row, {}, CsvVerdicts::Yes);
        return fmt::to_string(out);
    };
    fmt::memory_buffer header;
    append_flow_csv_header(header, CsvVerdicts::Yes);
    const auto names = fields_of(fmt::to_string(header));
    ASSERT_EQ(names.size(), columns().size() + 12);
    EXPECT_EQ(names[columns().size()], "verdict");
    EXPECT_EQ(names.back(), "reason");
    const auto rows = judged_flows();
    EXPECT_TRUE(line(rows[0]).ends_with(",allowed,,,,,,,,,,,\r\n")) << line(rows[0]);
    EXPECT_TRUE(
        line(rows[1]).ends_with(",refused,drop,inet,filter,forward,12,\"tcp dport 22 \"\"quoted\"\" drop\",,,,,\r\n"))
        << line(rows[1]);
    EXPECT_TRUE(line(rows[3]).ends_with(",refused,policy,ip,filter,FORWARD,,policy drop,,,,,\r\n")) << line(rows[3]);
    EXPECT_TRUE(line(rows[6]).ends_with(",allowed,,,,,,,limit not exceeded; quota not used up,,,,\r\n"))
        << line(rows[6]);
    EXPECT_TRUE(line(rows[7]).ends_with(",translated,,,,,,,,192.0.2.1,10.0.0.9,8080,\r\n")) << line(rows[7]);
    EXPECT_TRUE(line(rows[8]).ends_with(",translated,,,,,,,,2001:db8::1,2001:db8::2,,\r\n")) << line(rows[8]);
    EXPECT_TRUE(line(rows[9]).ends_with(",,,,,meta cpu is not known\r\n")) << line(rows[9]);
    EXPECT_TRUE(line(rows[10]).ends_with(",,,,,,,,,,,,\r\n")) << line(rows[10]);
    for (const auto& each : {rows[0], rows[3], rows[6], rows[7], rows[10]})
        EXPECT_EQ(fields_of(line(each)).size(), names.size());
}

TEST(FlowCsv, every_kind_of_flow_fits_its_columns) {
    for (const auto& each : flows_of_every_kind())
        EXPECT_TRUE(told_of(each.flow, {}, each.outcome).contains("source"));
}

}  // namespace flow_csv_test
}  // namespace headgate
