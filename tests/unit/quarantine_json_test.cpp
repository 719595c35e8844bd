// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/quarantine_json.h"

#include <gtest/gtest.h>

namespace headgate::gateway {
namespace quarantine_json_test {

using operations::QuarantineStep;

std::string error_of(QuarantineStep step, const std::string& text) {
    QuarantineRequest request;
    const auto read = read_quarantine_request_json(step, text, request);
    return read ? "" : read.error().message;
}

QuarantineEntry entry() {
    QuarantineEntry entry;
    entry.prefix = parse_prefix("10.20.0.0/24").value();
    entry.action = QuarantineAction::Reject;
    entry.left = std::chrono::seconds{90};
    entry.since = parse_rfc3339("2026-11-21T09:30:00Z").value();
    entry.by = "ada";
    entry.packets = 3;
    entry.bytes = 180;
    return entry;
}

TEST(QuarantineJson, an_entry_has_these_keys) {
    fmt::memory_buffer out;
    append_quarantine_entry_json(out, entry());
    EXPECT_EQ(fmt::to_string(out),
              R"({"address":"10.20.0.0/24","action":"reject","seconds_left":90,"since":"2026-11-21T09:30:00.000Z",)"
              R"("by":"ada","packets":3,"bytes":180,"in_force":true})");
}

TEST(QuarantineJson, an_answer_is_read_as_it_was_written) {
    EndpointQuarantine answer{{"edge", "a", ""}, {entry(), entry()}, 2, {"mind this"}};
    answer.entries[1].reason = "ticket 4711";
    answer.entries[1].is_in_force = false;
    fmt::memory_buffer out;
    append_endpoint_quarantine_json(out, answer);
    const auto read = read_endpoint_quarantine_json(fmt::to_string(out));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->endpoint, answer.endpoint);
    EXPECT_EQ(read->entries, answer.entries);
    EXPECT_EQ(read->offloaded_flows, 2U);
    EXPECT_EQ(read->warnings, answer.warnings);
}

TEST(QuarantineJson, a_request_is_read_as_it_was_written) {
    QuarantineRequest request;
    request.prefixes = {parse_prefix("10.20.0.7").value(), parse_prefix("2001:db8::/64").value()};
    request.time = std::chrono::seconds{3600};
    request.action = QuarantineAction::Reject;
    request.reason = "scans";
    request.include_protected = true;
    request.wide = true;
    request.sessions.own = {parse_flow_filter("source=192.0.2.9,destination-port=22").value()};
    QuarantineRequest read;
    ASSERT_TRUE(
        read_quarantine_request_json(QuarantineStep::Add, quarantine_request_json(QuarantineStep::Add, request), read));
    EXPECT_EQ(read.prefixes, request.prefixes);
    EXPECT_EQ(read.time, request.time);
    EXPECT_EQ(read.action, request.action);
    EXPECT_EQ(read.reason, request.reason);
    EXPECT_TRUE(read.include_protected && read.wide);
    EXPECT_EQ(read.sessions, request.sessions);
    EXPECT_EQ(quarantine_request_json(QuarantineStep::Extend, request),
              R"({"addresses":["10.20.0.7","2001:db8::/64"],"for_seconds":3600})");
    EXPECT_EQ(quarantine_request_json(QuarantineStep::Remove, request),
              R"({"addresses":["10.20.0.7","2001:db8::/64"]})");
}

TEST(QuarantineJson, an_error_names_the_member_and_the_rule) {
    EXPECT_EQ(error_of(QuarantineStep::Add, R"({"for_seconds":60})"), "addresses: missing");
    EXPECT_EQ(error_of(QuarantineStep::Add, R"({"addresses":["10.20.0.7","10.20.0.7/8"],"for_seconds":60})"),
              "addresses[1]: 10.20.0.7/8 has host bits set; the prefix is 10.0.0.0/8");
    EXPECT_EQ(error_of(QuarantineStep::Add, R"({"addresses":["10.20.0.7"]})"), "for_seconds: missing");
    EXPECT_NE(error_of(QuarantineStep::Add, R"({"addresses":["10.20.0.7"],"for_seconds":60,"flush":true})"), "");
    EXPECT_NE(error_of(QuarantineStep::Add, R"({"addresses":["10.20.0.7"],"for_seconds":60,"action":"bounce"})"), "");
    EXPECT_NE(error_of(QuarantineStep::Extend, R"({"addresses":["10.20.0.7"],"for_seconds":60,"reason":"x"})"), "");
    EXPECT_NE(error_of(QuarantineStep::Remove, R"({"addresses":["10.20.0.7"],"for_seconds":60})"), "");
}

}  // namespace quarantine_json_test
}  // namespace headgate::gateway
