// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/order_json.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "support/flow_builder.h"

namespace headgate::gateway {
namespace order_json_test {

using namespace headgate::testing;

std::string error_of(const std::string& body) {
    const auto order = read_order_json(body);
    if (order) return "no error";
    EXPECT_EQ(order.error().kind, ErrorKind::Invalid);
    return order.error().message;
}

OperationOrder full_flush() {
    OperationOrder order;
    order.type = OperationType::Flush;
    order.endpoint = {"edge", "a", std::nullopt};
    order.query.filters = {
        parse_flow_filter(
            "source=10.0.1.0/24,destination-port=80:90,translated-source=192.0.2.1,protocol=tcp,protocol=200")
            .value(),
        FlowFilter{}};
    order.query.side = MatchSide::Any;
    order.query.direction = MatchDirection::Both;
    order.query.states = StateScope::Any;
    order.query.mark = MarkMatch{5, 7};
    order.query.zone = std::uint16_t{65535};
    order.query.minimum_bytes = UINT64_MAX;
    order.query.minimum_packets = UINT64_MAX;
    order.query.minimum_age = std::chrono::seconds{3600};
    order.maximum_flows = 0;
    order.dry_run = true;
    order.include_protected = true;
    order.spared = {parse_flow_filter("destination=10.0.1.1,destination-port=22,protocol=tcp").value()};
    order.sessions.own = {parse_flow_filter("source=10.0.0.7,source-port=40022,protocol=tcp").value()};
    order.sessions.found = {parse_flow_filter("destination-port=22").value()};
    order.stream_exception_policy = "reject";
    order.require_policy = true;
    return order;
}

OperationOrder capture_of_all() {
    OperationOrder order;
    order.query = query_for_all();
    return order;
}

TEST(OrderJson, comes_back_whole) {
    for (const auto& order : {full_flush(), capture_of_all()}) {
        fmt::memory_buffer out;
        ASSERT_TRUE(append_order_json(out, order));
        const auto read = read_order_json(fmt::to_string(out));
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->type, order.type);
        EXPECT_EQ(read->endpoint, order.endpoint);
        EXPECT_EQ(read->query, order.query);
        EXPECT_EQ(read->maximum_flows, order.maximum_flows);
        EXPECT_EQ(read->dry_run, order.dry_run);
        EXPECT_EQ(read->include_protected, order.include_protected);
        EXPECT_EQ(read->spared, order.spared);
        EXPECT_EQ(read->sessions, order.sessions);
        EXPECT_EQ(read->stream_exception_policy, order.stream_exception_policy);
        EXPECT_EQ(read->require_policy, order.require_policy);
    }
}

/// Orders that differ from full_flush() in one member each.
std::vector<OperationOrder> orders_that_differ_in_one_part() {
    std::vector<OperationOrder> orders;
    for (const auto& change : std::vector<std::function<void(OperationOrder&)>>{
             [](auto& order) { order.endpoint.firewall = "core"; },
             [](auto& order) { order.endpoint.availability_zone.reset(); },
             [](auto& order) { order.query.filters.pop_back(); },
             [](auto& order) { order.query.side = MatchSide::Original; },
             [](auto& order) { order.query.direction = MatchDirection::AsGiven; },
             [](auto& order) { order.query.states = StateScope::New; },
             [](auto& order) {
                 order.query.mark = MarkMatch{5, 3};
             },
             [](auto& order) { order.query.zone.reset(); }, [](auto& order) { order.query.minimum_bytes = 1; },
             [](auto& order) { order.query.minimum_packets = 1; },
             [](auto& order) { order.query.minimum_age = std::chrono::seconds{60}; },
             [](auto& order) { order.from_operation = "5f0a"; }, [](auto& order) { order.maximum_flows = 1; },
             [](auto& order) { order.maximum_flows.reset(); }, [](auto& order) { order.dry_run = false; },
             [](auto& order) { order.include_protected = false; }, [](auto& order) { order.spared.clear(); },
             [](auto& order) { order.stream_exception_policy = "drop"; },
             [](auto& order) { order.require_policy = false; }})
        change(orders.emplace_back(full_flush()));
    return orders;
}

TEST(OrderJson, of_another_order_is_another_text_whatever_the_part) {
    std::set<std::string> texts;
    auto orders = orders_that_differ_in_one_part();
    orders.push_back(full_flush());
    for (const auto& order : orders) {
        fmt::memory_buffer out;
        ASSERT_TRUE(append_order_json(out, order));
        texts.insert(fmt::to_string(out));
    }
    EXPECT_EQ(texts.size(), orders.size());
}

TEST(OrderJson, of_captured_flows_takes_no_query_beside_them) {
    OperationOrder order;
    order.type = OperationType::Flush;
    order.from_operation = "5f0a";
    order.query.zone = std::uint16_t{5};
    fmt::memory_buffer out;
    ASSERT_TRUE(append_order_json(out, order));
    const auto read = read_order_json(fmt::to_string(out));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->from_operation, "5f0a");
    EXPECT_EQ(read->query, order.query);
    EXPECT_EQ(error_of(R"({"type":"FLOW_FLUSH","from_capture":"5f0a","filters":[{}]})"),
              "from_capture: takes the flows as they were captured, so there is nothing else to say of them");
}

TEST(OrderJson, that_cannot_be_told_is_refused) {
    OperationOrder order = full_flush();
    order.endpoint.network_namespace = "gw";
    fmt::memory_buffer out;
    EXPECT_FALSE(append_order_json(out, order));
    order = full_flush();
    order.captured = [](const auto&) -> Result<std::optional<Endpoint>> { return {}; };
    EXPECT_FALSE(append_order_json(out, order));
    EXPECT_EQ(out.size(), 0U);
}

TEST(OrderJson, errors_name_the_member_and_the_rule) {
    const std::string members =
        "the members here are type, firewall, availability_zone, minimum_age_seconds, filters, state, match, "
        "both_directions, mark, zone, minimum_bytes, minimum_packets, all, from_capture, maximum_flows, dry_run, "
        "include_protected, "
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
              "type: a FLOW_CAPTURE takes nothing that a FLOW_FLUSH does");
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

TEST(OrderJson, of_a_policy_comes_back) {
    PolicyOrder order;
    order.policy = "drop-all";
    order.include_protected = true;
    order.sessions = full_flush().sessions;
    fmt::memory_buffer out;
    ASSERT_TRUE(append_policy_order_json(out, order));
    const auto read = read_policy_order_json(fmt::to_string(out));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->policy, order.policy);
    EXPECT_EQ(read->include_protected, order.include_protected);
    EXPECT_EQ(read->sessions, order.sessions);
    EXPECT_EQ(read_policy_order_json("{}").error().message, "policy: missing");
    EXPECT_FALSE(read_policy_order_json(R"({"policy":"../x"})"));
    EXPECT_FALSE(read_policy_order_json(R"({"policy":"x","firewall":"edge"})"));
}

}  // namespace order_json_test
}  // namespace headgate::gateway
