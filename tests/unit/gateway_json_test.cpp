// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/gateway_json.h"

#include <gtest/gtest.h>

#include "flow/flow_reader.h"
#include "operations/operation_json.h"
#include "support/stored_operations.h"

namespace headgate::gateway {
namespace gateway_json_test {

using namespace headgate::testing;

std::string json_of(const FlowOperation& operation) {
    fmt::memory_buffer out;
    operations::append_operation_json(out, operation);
    return fmt::to_string(out);
}

/// The text after it was written as JSON and parsed.
std::string as_utf8(const std::string& text) {
    fmt::memory_buffer out;
    out.append(std::string_view{"{\"text\":"});
    append_json_string(out, text);
    out.push_back('}');
    return parse_json_object(fmt::to_string(out)).value().text("text").value();
}

/// The part of an operation that its JSON contains.
FlowOperation as_told(FlowOperation operation) {
    if (operation.status != OperationStatus::InProgress) operation.phase = OperationPhase::Identifying;
    operation.requested_at = std::chrono::floor<std::chrono::milliseconds>(operation.requested_at);
    if (!operation.query.states) operation.query.states = kind_of(operation.type).default_states;
    for (auto* text : {&operation.detail, &operation.endpoint.firewall, &operation.endpoint.network_namespace,
                       &operation.caller.user})
        *text = as_utf8(*text);
    for (auto& each : operation.refused_by)
        each.rule.chain = as_utf8(each.rule.chain);
    operation.asked.clear();  // only the store has it
    return operation;
}

TEST(GatewayJson, an_operation_of_any_kind_is_parsed_as_it_was_written) {
    for (auto operation : operations_of_every_kind()) {
        if (operation.requested_at < Timestamp{}) operation.requested_at = Timestamp{};  // a gateway's clock is later
        const auto read = read_operation_json(json_of(operation));
        ASSERT_TRUE(read) << operation.id << ": " << read.error().message;
        EXPECT_EQ(*read, as_told(operation)) << json_of(operation);
        EXPECT_EQ(json_of(*read), json_of(operation));
    }
}

TEST(GatewayJson, an_operation_has_its_state_where_its_type_does_not_imply_it) {
    auto operation = operation_named("x");
    const auto told = [&](OperationType type, StateScope states) {
        operation.type = type;
        operation.query.states = states;
        return read_operation_json(json_of(operation)).value() == operation &&
               json_of(operation).find("\"state\"") != std::string::npos;
    };
    EXPECT_FALSE(told(OperationType::Capture, StateScope::Active));
    EXPECT_TRUE(told(OperationType::Capture, StateScope::Any));
    EXPECT_FALSE(told(OperationType::Flush, StateScope::Any));
    EXPECT_TRUE(told(OperationType::Flush, StateScope::Active)) << "of a capture's flows";
}

TEST(GatewayJson, a_running_operation_has_its_phase) {
    auto operation = operation_named("running");
    operation.phase = OperationPhase::Flushing;
    EXPECT_EQ(read_operation_json(json_of(operation)).value().phase, OperationPhase::Flushing);
}

TEST(GatewayJson, operations_come_back_in_their_order) {
    const std::vector<FlowOperation> listed{operation_named("b"), operation_named("a")};
    fmt::memory_buffer out;
    append_operations_json(out, listed);
    EXPECT_EQ(read_operations_json(fmt::to_string(out)).value(), (std::vector{as_told(listed[0]), as_told(listed[1])}));
    EXPECT_EQ(fmt::to_string(out).find("next_cursor"), std::string::npos);
    append_operations_json(out, {}, "a");
    EXPECT_TRUE(fmt::to_string(out).ends_with("{\"operations\":[],\"next_cursor\":\"a\"}"));
    EXPECT_TRUE(read_operations_json("{\"operations\":[]}").value().empty());
}

TEST(GatewayJson, a_flow_of_any_kind_is_parsed_as_it_was_written) {
    const Timestamp now{std::chrono::years{57}};
    const auto json = [&](const Flow& flow) {
        fmt::memory_buffer out;
        append_flow_json(out, {flow, std::nullopt, 0}, {.now = now});
        return fmt::to_string(out);
    };
    for (const auto& [flow, outcome, error, verdict] : flows_of_every_kind()) {
        // No kernel has mixed families, and these times are out of range.
        if (flow.original.source.family != flow.original.destination.family) continue;
        const auto read = parse_json_object(json(flow)).and_then(read_flow);
        ASSERT_TRUE(read) << json(flow) << ": " << read.error().message;
        EXPECT_EQ(json(*read), json(flow));
    }
}

TEST(GatewayJson, a_census_comes_back) {
    TableStatistics census{{12, UINT64_MAX, 65536},
                           17,
                           {{{Family::Ipv4, Protocol::Tcp, FlowState::Established}, 7},
                            {{Family::Ipv6, Protocol{200}, FlowState::New}, UINT64_MAX}}};
    fmt::memory_buffer out;
    append_table_json(out, census);
    EXPECT_EQ(fmt::to_string(out),
              "{\"in_use\":12,\"peak\":17,\"maximum\":18446744073709551615,\"buckets\":65536,\"flows\":[\n"
              "{\"family\":\"ipv4\",\"protocol\":\"tcp\",\"state\":\"ESTABLISHED\",\"count\":7},\n"
              "{\"family\":\"ipv6\",\"protocol\":\"200\",\"state\":\"NEW\",\"count\":18446744073709551615}]}\n");
    const auto read = read_table_json(fmt::to_string(out));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->flows, census.flows);
    EXPECT_EQ(read->usage.maximum, census.usage.maximum);
    EXPECT_EQ(read->peak, census.peak);
    fmt::memory_buffer lines;
    append_kind_json(lines, {Family::Ipv4, Protocol::Udp, FlowState::New}, 1);
    EXPECT_EQ(fmt::to_string(lines), "{\"family\":\"ipv4\",\"protocol\":\"udp\",\"state\":\"NEW\",\"count\":1}");
}

std::string json_of(const EndpointPolicy& policy) {
    fmt::memory_buffer out;
    append_endpoint_policy_json(out, policy);
    return fmt::to_string(out);
}

TEST(GatewayJson, a_policys_status_comes_back) {
    EndpointPolicy full;
    full.endpoint = {"edge", "a", "gw"};
    auto& policy = full.status.policy.emplace();
    policy.name = "reject-flushed";
    policy.exception = StreamException::Reject;
    policy.scope = MidstreamScope::All;
    policy.hooks = {Hook::Output, Hook::Forward};
    policy.priority = -199;
    policy.remember_flushed_for = std::chrono::seconds{7};
    policy.remember_at_most = 9;
    full.status.condition = RulesetCondition::Changed;
    full.status.missing_policy = "gone";
    full.status.counters = {{"reject-flushed", Hook::Input, PacketDirection::Reply, "tcp", UINT64_MAX, 2}};
    full.status.remembered_flows = 3;
    full.status.windows = {{Protocol::Sctp, std::chrono::seconds{4}}};
    full.warnings = {"look out"};
    auto of_connection = full;
    of_connection.status.policy->remember_flushed_for.reset();
    EXPECT_NE(json_of(full).find("\"remember_flushed_for_seconds\":7,"), std::string::npos);
    EXPECT_NE(json_of(of_connection).find("\"remember_flushed_for\":\"connection\","), std::string::npos);
    for (const auto& each : {full, of_connection, EndpointPolicy{}}) {
        const auto read = read_endpoint_policy_json(json_of(each));
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->endpoint, each.endpoint);
        EXPECT_EQ(read->warnings, each.warnings);
        EXPECT_EQ(read->status.policy, each.status.policy);
        EXPECT_EQ(read->status.condition, each.status.condition);
        EXPECT_EQ(read->status.missing_policy, each.status.missing_policy);
        EXPECT_EQ(read->status.counters, each.status.counters);
        EXPECT_EQ(read->status.windows, each.status.windows);
        EXPECT_EQ(json_of(*read), json_of(each));
    }
}

TEST(GatewayJson, an_answer_with_a_wrong_member_is_an_error_that_names_it) {
    const auto with = [](std::string from, std::string_view to) {
        auto text = json_of(operation_named("x"));
        const auto place = text.find(from);
        EXPECT_NE(place, std::string::npos) << from;
        text.replace(place, from.size(), to);
        const auto read = read_operation_json(text);
        return read ? std::string{"no error"} : read.error().message;
    };
    EXPECT_EQ(with("\"operation_id\":\"x\"", "\"operation_id\":5"), "operation_id: not a text");
    EXPECT_EQ(with("\"FLOW_CAPTURE\"", "\"CAPTURE\""),
              "type: \"CAPTURE\" is none of FLOW_CAPTURE, FLOW_FLUSH and FLOW_REMATCH");
    EXPECT_EQ(with("\"scanned\":0", "\"scanned\":-1"), "counts.scanned: out of range");
    EXPECT_EQ(with("\"filters\":[{}]", "\"filters\":{}"), "filters: not a list");
    EXPECT_EQ(with("\"filters\":[{}]", "\"filters\":[{},7]"), "filters[1]: not an object");
    EXPECT_EQ(with("\"filters\":[{}]", "\"filters\":[{\"source\":\"x\"}]"),
              "filters[0].source: \"x\" is not an IPv4 or IPv6 address");
    EXPECT_EQ(with("\"counts\":{", "\"rate\":[{\"per\":1}],\"counts\":{\"paused\":1,"), "no error")
        << "of a newer agent";
    EXPECT_EQ(with("}}", "}}{}"), "not valid JSON");
    EXPECT_EQ(with("}}", "}"), "not valid JSON");
    EXPECT_EQ(read_operation_json(std::string(10'000, '[')).error().message, "not valid JSON");
    EXPECT_EQ(read_operation_json("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}").error().message,
              "not valid JSON: nested deeper than 16 levels");
    EXPECT_EQ(read_operation_json("[1]").error().message, "not a JSON object");
    EXPECT_EQ(with("\"x\"", R"("a \\\" and 99999999999999999999 in it")"), "no error");
    EXPECT_EQ(read_operation_json("").error().message, "not valid JSON");
}

}  // namespace gateway_json_test
}  // namespace headgate::gateway
