// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/flow_json.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "support/flow_builder.h"

namespace headgate {
namespace flow_json_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

constexpr Timestamp kStart{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 9h + 30min + 1ns};

std::string json(const Flow& flow, std::optional<Outcome> outcome = {}, int error = 0) {
    fmt::memory_buffer out;
    append_flow_json(out, {flow, outcome, error}, {.now = kStart + 90s});
    return fmt::to_string(out);
}

TEST(FlowJson, has_the_promised_keys) {
    const Flow flow = tcp_flow()
                          .from("10.0.1.2", 4711)
                          .to("10.0.2.2", 80)
                          .established()
                          .with_id(42)
                          .with_mark(5)
                          .with_bytes(100, 2000)
                          .started_at(kStart);
    EXPECT_EQ(json(flow),
              R"({"id":42,"family":"ipv4","protocol":"tcp","source":"10.0.1.2","source_port":4711,)"
              R"("destination":"10.0.2.2","destination_port":80,"state":"ESTABLISHED","protocol_state":"ESTABLISHED",)"
              R"("status":["SEEN_REPLY","ASSURED","CONFIRMED"],"started_at":"2026-11-21T09:30:00.000000001Z",)"
              R"("age_seconds":90,"timeout_seconds":600,"packets":1,"bytes":100,"packets_reply":1,"bytes_reply":2000,)"
              R"("mark":5,"zone":0})");
}

TEST(FlowJson, has_no_ports_where_the_kernel_reported_none) {
    const auto text = json(FlowBuilder{Protocol::Dccp}.from("10.0.1.2", 0).to("10.0.2.2", 0));
    EXPECT_EQ(text.find("port"), std::string::npos) << text;
    EXPECT_NE(json(FlowBuilder{Protocol::Dccp}).find("\"source_port\":40000"), std::string::npos);
    EXPECT_NE(json(udp_flow().from_port(0).to_port(0)).find("\"source_port\":0"), std::string::npos);
}

TEST(FlowJson, has_no_age_where_the_time_stamp_cannot_be_right) {
    fmt::memory_buffer out;
    append_flow_json(out, {tcp_flow().started_at(kStart)}, {.now = kStart + 48h, .up = 24h});
    EXPECT_EQ(fmt::to_string(out).find("age_seconds"), std::string::npos);
    EXPECT_NE(fmt::to_string(out).find("\"started_at\":\"2026-11-21T09:30:00.000000001Z\""), std::string::npos);
}

TEST(FlowJson, leaves_out_what_the_kernel_did_not_report) {
    Flow flow = udp_flow();
    flow.mark.reset();
    flow.timeout.reset();
    const auto text = json(flow);
    for (const auto* key : {"mark", "timeout_seconds", "packets", "bytes", "age_seconds", "started_at",
                            "protocol_state", "translated", "outcome", "error"}) {
        EXPECT_EQ(text.find(fmt::format("\"{}\"", key)), std::string::npos) << key;
    }
}

TEST(FlowJson, of_icmp_has_type_code_and_id_in_place_of_ports) {
    const auto text = json(icmp_flow());
    EXPECT_NE(text.find(R"("icmp_type":8,"icmp_code":0,"icmp_id":7)"), std::string::npos) << text;
    EXPECT_EQ(text.find("port"), std::string::npos) << text;
}

TEST(FlowJson, has_translated_addresses_only_where_they_differ) {
    const auto text = json(tcp_flow().from("10.0.1.2", 1).to("10.0.2.2", 2).leaving_as("192.0.2.1", 3));
    EXPECT_NE(
        text.find(
            R"("translated":{"source":"192.0.2.1","source_port":3,"destination":"10.0.2.2","destination_port":2})"),
        std::string::npos)
        << text;
}

TEST(FlowJson, of_an_unnamed_protocol_has_its_number_as_text) {
    EXPECT_NE(json(FlowBuilder{Protocol{253}}).find(R"("protocol":"253")"), std::string::npos);
}

TEST(FlowJson, carries_the_outcome_and_the_error_of_a_flush) {
    EXPECT_NE(json(tcp_flow(), Outcome::Gone).find(R"(,"outcome":"gone"})"), std::string::npos);
    EXPECT_NE(json(tcp_flow(), Outcome::Failed, EBUSY).find(R"("outcome":"failed","error":"Device or resource busy"})"),
              std::string::npos);
}

std::string verdict_json(FlowVerdict verdict) {
    fmt::memory_buffer out;
    append_flow_json(out, {tcp_flow(), {}, 0, SharedVerdict{std::move(verdict)}}, {});
    const auto text = fmt::to_string(out);
    const auto begin = text.find(",\"verdict\":");
    return begin == std::string::npos ? "" : text.substr(begin);
}

TEST(FlowJson, of_a_judged_flow_has_the_verdict) {
    const RuleReference rule{"inet", "filter", "forward", 12, "tcp dport 22 drop"};
    EXPECT_EQ(verdict_json({.result = VerdictResult::Refused, .kind = RefusalKind::Drop, .rule = rule}),
              R"(,"verdict":{"result":"refused","kind":"drop","rule":{"family":"inet","table":"filter",)"
              R"("chain":"forward","handle":12,"text":"tcp dport 22 drop"}}})");
    EXPECT_EQ(verdict_json({.result = VerdictResult::Refused,
                            .kind = RefusalKind::Policy,
                            .rule = RuleReference{"ip", "filter", "FORWARD", {}, "policy drop"}}),
              R"(,"verdict":{"result":"refused","kind":"policy","rule":{"family":"ip","table":"filter",)"
              R"("chain":"FORWARD","text":"policy drop"}}})");
    EXPECT_EQ(verdict_json({.result = VerdictResult::Allowed, .assumes = {"limit not exceeded"}}),
              R"(,"verdict":{"result":"allowed","assumes":["limit not exceeded"]}})");
    EXPECT_EQ(verdict_json(
                  {.result = VerdictResult::Translated,
                   .then = Translation{parse_address("192.0.2.1").value(), parse_address("10.0.0.9").value(), 8080}}),
              R"(,"verdict":{"result":"translated","then":{"source":"192.0.2.1","destination":"10.0.0.9",)"
              R"("destination_port":8080}}})");
    EXPECT_EQ(verdict_json({.reason = "numgen is random"}),
              R"(,"verdict":{"result":"unknown","reason":"numgen is random"}})");
}

TEST(JsonString, escapes_what_must_be) {
    fmt::memory_buffer out;
    append_json_string(out, "a\"b\\c\nd\x01");
    EXPECT_EQ(fmt::to_string(out), R"("a\"b\\c\u000ad\u0001")");
}

TEST(Rfc3339, is_read_as_it_is_written) {
    EXPECT_EQ(to_rfc3339(kStart + 123ms), "2026-11-21T09:30:00.123Z");
    EXPECT_EQ(parse_rfc3339("2026-11-21T09:30:00.000000001Z").value(), kStart);
    EXPECT_EQ(parse_rfc3339("2026-11-21T09:30:00Z").value(), kStart - 1ns);
    for (const auto* text : {"2026-11-21T11:30:00+02:00", "2026-11-21T11:30:00.000+0200", "2026-11-21T05:00:00-04:30"})
        EXPECT_EQ(parse_rfc3339(text).value(), kStart - 1ns) << text;
    for (const auto* text : {"", "2026-11-21", "2026-13-21T09:30:00Z", "2026-11-21T25:30:00Z", "2026-11-21 09:30:00Z",
                             "2026-11-21T09:30:00", "2026-11-21T09:30:00.Z", "2026-11-21T09:30:00.1234567890Z",
                             "2026-11-21T09:30:00.12x4Z", "9999-11-21T09:30:00Z", "-026-11-21T09:30:00Z",
                             "2026-11-21T09:30:00+02", "2026-11-21T09:30:00+24:00", "2026-11-21T09:30:00+02:0x",
                             "2026-11-21T09:30:00Z+0200", "2026-11-21T09:30:00+2:000", "+", "Z"}) {
        EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
    }
}

}  // namespace flow_json_test
}  // namespace headgate
