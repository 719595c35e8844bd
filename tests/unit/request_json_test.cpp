// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/request_json.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "headgate/judge.h"

#include "support/flow_builder.h"

namespace headgate::gateway {
namespace request_json_test {

using namespace headgate::testing;

std::string error_of(const std::string& body) {
    const auto request = read_request_json(body);
    if (request) return "no error";
    EXPECT_EQ(request.error().kind, ErrorKind::Invalid);
    return request.error().message;
}

OperationRequest full_flush() {
    OperationRequest request;
    request.type = OperationType::Flush;
    request.endpoint = {"edge", "a", std::nullopt};
    request.query.filters = {
        parse_flow_filter(
            "source=10.0.1.0/24,destination-port=80:90,translated-source=192.0.2.1,protocol=tcp,protocol=200")
            .value(),
        FlowFilter{}};
    request.query.side = MatchSide::Any;
    request.query.direction = MatchDirection::Both;
    request.query.states = StateScope::Any;
    request.query.mark = MarkMatch{5, 7};
    request.query.zone = std::uint16_t{65535};
    request.query.minimum_bytes = UINT64_MAX;
    request.query.minimum_packets = UINT64_MAX;
    request.query.minimum_age = std::chrono::seconds{3600};
    request.no_fast_scan = true;
    request.maximum_flows = 0;
    request.dry_run = true;
    request.include_protected = true;
    request.protected_filters = {parse_flow_filter("destination=10.0.1.1,destination-port=22,protocol=tcp").value()};
    request.sessions.own = {parse_flow_filter("source=10.0.0.7,source-port=40022,protocol=tcp").value()};
    request.sessions.found = {parse_flow_filter("destination-port=22").value()};
    request.stream_exception_policy = "reject";
    request.require_policy = true;
    return request;
}

OperationRequest capture_of_all() {
    OperationRequest request;
    request.query = query_for_all();
    return request;
}

TEST(RequestJson, comes_back_whole) {
    for (const auto& request : {full_flush(), capture_of_all()}) {
        fmt::memory_buffer out;
        ASSERT_TRUE(append_request_json(out, request));
        const auto read = read_request_json(fmt::to_string(out));
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->type, request.type);
        EXPECT_EQ(read->endpoint, request.endpoint);
        EXPECT_EQ(read->query, request.query);
        EXPECT_EQ(read->no_fast_scan, request.no_fast_scan);
        EXPECT_EQ(read->maximum_flows, request.maximum_flows);
        EXPECT_EQ(read->dry_run, request.dry_run);
        EXPECT_EQ(read->include_protected, request.include_protected);
        EXPECT_EQ(read->protected_filters, request.protected_filters);
        EXPECT_EQ(read->sessions, request.sessions);
        EXPECT_EQ(read->stream_exception_policy, request.stream_exception_policy);
        EXPECT_EQ(read->require_policy, request.require_policy);
    }
}

/// Requests that differ from full_flush() in one member each.
std::vector<OperationRequest> requests_that_differ_in_one_part() {
    std::vector<OperationRequest> requests;
    for (const auto& change : std::vector<std::function<void(OperationRequest&)>>{
             [](auto& request) { request.endpoint.firewall = "core"; },
             [](auto& request) { request.endpoint.availability_zone.reset(); },
             [](auto& request) { request.query.filters.pop_back(); },
             [](auto& request) { request.query.side = MatchSide::Original; },
             [](auto& request) { request.query.direction = MatchDirection::AsGiven; },
             [](auto& request) { request.query.states = StateScope::New; },
             [](auto& request) {
                 request.query.mark = MarkMatch{5, 3};
             },
             [](auto& request) { request.query.zone.reset(); },
             [](auto& request) { request.query.minimum_bytes = 1; },
             [](auto& request) { request.query.minimum_packets = 1; },
             [](auto& request) { request.query.minimum_age = std::chrono::seconds{60}; },
             [](auto& request) { request.no_fast_scan = false; },
             [](auto& request) { request.from_operation = "5f0a"; },
             [](auto& request) { request.maximum_flows = 1; },
             [](auto& request) { request.maximum_flows.reset(); },
             [](auto& request) { request.dry_run = false; },
             [](auto& request) { request.include_protected = false; },
             [](auto& request) { request.protected_filters.clear(); },
             [](auto& request) { request.stream_exception_policy = "drop"; },
             [](auto& request) { request.require_policy = false; }})
        change(requests.emplace_back(full_flush()));
    return requests;
}

TEST(RequestJson, of_another_request_is_another_text_whatever_the_part) {
    std::set<std::string> texts;
    auto requests = requests_that_differ_in_one_part();
    requests.push_back(full_flush());
    for (const auto& request : requests) {
        fmt::memory_buffer out;
        ASSERT_TRUE(append_request_json(out, request));
        texts.insert(fmt::to_string(out));
    }
    EXPECT_EQ(texts.size(), requests.size());
}

TEST(RequestJson, of_captured_flows_takes_no_query_beside_them) {
    OperationRequest request;
    request.type = OperationType::Flush;
    request.from_operation = "5f0a";
    request.query.zone = std::uint16_t{5};
    fmt::memory_buffer out;
    ASSERT_TRUE(append_request_json(out, request));
    const auto read = read_request_json(fmt::to_string(out));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->from_operation, "5f0a");
    EXPECT_EQ(read->query, request.query);
    EXPECT_EQ(error_of(R"({"type":"FLOW_FLUSH","from_capture":"5f0a","filters":[{}]})"),
              "from_capture: names the flows; it takes no filter and no condition beside it");
}

TEST(RequestJson, of_a_flush_without_consent_names_the_dry_run_that_was_shown) {
    OperationRequest request;
    request.type = OperationType::Flush;
    request.from_operation = "5f0a";
    for (const auto consent : {Consent::Declined, Consent::NotAsked}) {
        request.consent = consent;
        fmt::memory_buffer out;
        ASSERT_TRUE(append_request_json(out, request));
        EXPECT_EQ(read_request_json(fmt::to_string(out)).value().consent, consent);
    }
    EXPECT_EQ(error_of(R"({"type":"FLOW_FLUSH","filters":[{}],"all":true,"consent":"declined"})"),
              "consent: declined is said of the flows of a dry run, by its id in from_capture");
    EXPECT_EQ(error_of(R"({"type":"FLOW_FLUSH","from_capture":"5f0a","consent":"no"})"),
              "consent: \"no\" is none of given, declined and not_asked");
}

TEST(RequestJson, of_a_rematch_may_bring_a_candidate_for_the_ruleset) {
    auto request = capture_of_all();
    request.type = OperationType::Rematch;
    for (const auto& text : {std::optional<std::string>{}, std::optional<std::string>{"add rule \"x\"\n\tdrop"}}) {
        request.ruleset_text = text;
        fmt::memory_buffer out;
        ASSERT_TRUE(append_request_json(out, request));
        const auto read = read_request_json(fmt::to_string(out));
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->type, OperationType::Rematch);
        EXPECT_EQ(read->ruleset_text, text);
        EXPECT_EQ(read->query, request.query);
    }
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"ruleset_text":""})"),
              "ruleset_text: a FLOW_CAPTURE judges no flows");
    EXPECT_EQ(error_of(R"({"type":"FLOW_REMATCH","filters":[{}],"dry_run":true})"),
              "type: a FLOW_REMATCH takes none of the options of a FLOW_FLUSH");
    EXPECT_EQ(error_of(R"({"type":"FLOW_REMATCH"})"), "filters: name the flows; an empty filter, {}, means every one");
    request.ruleset_text = std::string(kLongestCandidate + 1, 'x');
    fmt::memory_buffer out;
    ASSERT_TRUE(append_request_json(out, request));
    EXPECT_EQ(read_request_json(fmt::to_string(out)).error().kind, ErrorKind::TooLarge);
}

TEST(RequestJson, asks_for_translated_flows_where_flows_were_judged) {
    OperationRequest request;
    request.type = OperationType::Flush;
    request.from_operation = "5f0a";
    request.include_translated = true;
    fmt::memory_buffer out;
    ASSERT_TRUE(append_request_json(out, request));
    EXPECT_TRUE(read_request_json(fmt::to_string(out)).value().include_translated);
    EXPECT_EQ(error_of(R"({"type":"FLOW_FLUSH","filters":[{}],"all":true,"include_translated":true})"),
              "include_translated: is said of the flows of a rematch, by its id in from_capture");
}

TEST(RequestJson, that_cannot_be_expressed_is_refused) {
    OperationRequest request = full_flush();
    request.endpoint.network_namespace = "gw";
    fmt::memory_buffer out;
    EXPECT_FALSE(append_request_json(out, request));
    request = full_flush();
    request.captured = [](const auto&) -> Result<std::optional<Endpoint>> { return {}; };
    EXPECT_FALSE(append_request_json(out, request));
    EXPECT_EQ(out.size(), 0U);
}

TEST(RequestJson, errors_name_the_member_and_the_rule) {
    const std::string members =
        "the members here are type, firewall, availability_zone, minimum_age_seconds, filters, state, match, "
        "both_directions, mark, zone, minimum_bytes, minimum_packets, no_fast_scan, ruleset_text, all, "
        "from_capture, consent, "
        "maximum_flows, "
        "dry_run, "
        "include_protected, include_translated, "
        "protected, own_sessions, ssh_sessions, stream_exception_policy, require_policy";
    EXPECT_EQ(error_of(""), "body: not valid JSON");
    EXPECT_EQ(error_of("[]"), "body: not a JSON object");
    EXPECT_EQ(error_of("{}"), "type: missing");
    EXPECT_EQ(error_of(R"({"type":1})"), "type: not a text");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{"source":"10.0.0.1","source":"::/0"}]})"),
              "body: source: given twice");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE"})"), "filters: name the flows; an empty filter, {}, means every one");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[]})"),
              "filters: name the flows; an empty filter, {}, means every one");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":null})"), "filters: missing");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{"source":"10.0.0.1/8"}]})"),
              "filters[0].source: 10.0.0.1/8 has host bits set; the prefix is 10.0.0.0/8");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{"port":"80"}]})"),
              "filters[0].port: unknown; the members here are source, destination, source_port, destination_port, "
              "translated_source, translated_destination, "
              "protocols");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{"protocols":"tcp"}]})"),
              "filters[0].protocols: not a list");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"zone":65536})"), "zone: out of range");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"zone":1.5})"), "zone: not a whole number");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"minimum_age_seconds":-1})"),
              "minimum_age_seconds: out of range");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"minimum_bytes":18446744073709551616})"),
              "body: not valid JSON: a number is malformed, or too large for 64 bits");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"minimum_bytes":-9223372036854775809})"),
              "body: not valid JSON: a number is malformed, or too large for 64 bits");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"both_directions":"yes"})"),
              "both_directions: neither true nor false");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"every":true})"), "every: unknown; " + members);
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"netns":"x"})"), "netns: unknown; " + members);
    EXPECT_EQ(error_of(R"({"type":"FLOW_FLUSH","filters":[{"destination_port":"80"},{}]})"),
              "filters: one leaves no flow out; to flush every flow, say so: \"all\": true");
    EXPECT_EQ(error_of(R"({"type":"FLOW_CAPTURE","filters":[{}],"dry_run":false})"),
              "type: a FLOW_CAPTURE takes none of the options of a FLOW_FLUSH");
    EXPECT_EQ(error_of(R"({"type":"FLOW_FLUSH","filters":[{}],"stream_exception_policy":"/etc/shadow"})"),
              "stream_exception_policy: \"/etc/shadow\" is a path; the agent takes policies by their names alone");
    EXPECT_EQ(error_of(R"({"type":"FLOW_FLUSH","filters":[{}],"protected":["source"]})"),
              "protected[0]: \"source\" is not of the form key=value");
    std::string many = R"({"type":"FLOW_CAPTURE","filters":[{})";
    for (int i = 0; i < 20; ++i)
        many += ",{}";
    EXPECT_EQ(error_of(many + "]}"), "filters: 21 filters; an operation takes 20 at most");
    EXPECT_EQ(error_of("{\"type\":\"FLOW_\xff\"}"), "body: not valid JSON");
}

TEST(RequestJson, of_a_policy_comes_back) {
    PolicyRequest request;
    request.policy = "drop-all";
    request.include_protected = true;
    request.sessions = full_flush().sessions;
    fmt::memory_buffer out;
    ASSERT_TRUE(append_policy_request_json(out, request));
    PolicyRequest read;
    ASSERT_TRUE(read_policy_request_json(fmt::to_string(out), read));
    EXPECT_EQ(read.policy, request.policy);
    EXPECT_EQ(read.include_protected, request.include_protected);
    EXPECT_EQ(read.sessions, request.sessions);
    EXPECT_EQ(read_policy_request_json("{}", read).error().message, "policy: missing");
    EXPECT_FALSE(read_policy_request_json(R"({"policy":"../x"})", read));
    EXPECT_FALSE(read_policy_request_json(R"({"policy":"x","firewall":"edge"})", read));
}

TEST(RequestJson, has_the_valid_parts_of_a_refused_request_if_it_says_what_it_is) {
    std::optional<OperationRequest> request;
    EXPECT_FALSE(
        read_request_json(R"({"type":"FLOW_FLUSH","firewall":"edge","filters":[{"source":"nowhere"}]})", request));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->type, OperationType::Flush);
    EXPECT_EQ(request->endpoint.firewall, "edge");
    for (const auto* const text : {"no JSON", R"({"filters":[{}]})", R"({"type":"FLOW_FLSH","filters":[{}]})"}) {
        request.reset();
        EXPECT_FALSE(read_request_json(text, request));
        EXPECT_FALSE(request) << text;
    }
}

}  // namespace request_json_test
}  // namespace headgate::gateway
