// Who has fewer rights: what is not theirs is not there, and what they may not do is refused and recorded.
#include "gateway/limited_gateway.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "support/memory_gateway.h"

namespace headgate::gateway {
namespace limited_gateway_test {

using testing::MemoryGateway;

OperationOrder order_of(OperationType type) {
    OperationOrder order;
    order.type = type;
    return order;
}

TEST(LimitedGateway, a_viewer_captures_but_does_not_flush) {
    MemoryGateway whole;
    whole.complete_at_once(3);
    LimitedGateway viewer{whole, {Role::Viewer, std::nullopt}};
    const auto captured = viewer.start(order_of(OperationType::Capture));
    ASSERT_TRUE(captured);
    EXPECT_EQ(viewer.flows(captured->id, 1, 5)->size(), 2U);
    const auto flushed = viewer.start(order_of(OperationType::Flush));
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().number, EACCES);
    EXPECT_EQ(whole.refusals(), std::vector<std::string>{flushed.error().message});
}

TEST(LimitedGateway, a_viewer_changes_no_policy) {
    MemoryGateway whole;
    LimitedGateway viewer{whole, {Role::Viewer, std::nullopt}};
    PolicyOrder order;
    order.policy = "drop";
    EXPECT_EQ(viewer.apply_policy(order).error().number, EACCES);
    EXPECT_EQ(viewer.remove_policy(order).error().number, EACCES);
    EXPECT_TRUE(viewer.policy_status({}));
    EXPECT_EQ(whole.refusals().size(), 2U);
    EXPECT_FALSE(whole.ruleset.policy);
}

TEST(LimitedGateway, a_viewer_cancels_captures_alone) {
    MemoryGateway whole;
    LimitedGateway viewer{whole, {Role::Viewer, std::nullopt}};
    const auto capture = whole.start(order_of(OperationType::Capture));
    EXPECT_TRUE(viewer.cancel(capture->id));
    const auto flush = whole.start(order_of(OperationType::Flush));
    EXPECT_EQ(viewer.cancel(flush->id).error().number, EACCES);
}

TEST(LimitedGateway, what_policies_have_caught_is_told_of_ones_own_firewalls_alone) {
    MemoryGateway whole;
    whole.ruleset.counters = {{"drop", Hook::Forward, PacketDirection::Any, "tcp", 1, 60}};
    LimitedGateway theirs{whole, {Role::Viewer, {{"edge"}}}};
    EXPECT_EQ(theirs.midstream_counters({}), whole.ruleset.counters);
    LimitedGateway others{whole, {Role::Viewer, {{"core"}}}};
    EXPECT_FALSE(others.midstream_counters({"edge", "a", {}}).has_value());
}

TEST(LimitedGateway, the_only_firewall_of_somebody_goes_unsaid) {
    MemoryGateway whole;
    LimitedGateway theirs{whole, {Role::Operator, {{"edge"}}}};
    ASSERT_TRUE(theirs.start(order_of(OperationType::Flush)));
    EXPECT_EQ(whole.last_order().endpoint.firewall, "edge");
    LimitedGateway several{whole, {Role::Operator, {{"edge", "core"}}}};
    EXPECT_EQ(several.usage({}).error().kind, ErrorKind::Invalid);
}

TEST(LimitedGateway, another_firewall_is_refused) {
    MemoryGateway whole;
    LimitedGateway theirs{whole, {Role::Operator, {{"core"}}}};
    auto order = order_of(OperationType::Capture);
    order.endpoint.firewall = "edge";
    EXPECT_EQ(theirs.start(order).error().number, EACCES);
    EXPECT_EQ(theirs.count_flows(order.endpoint).error().number, EACCES);
    EXPECT_EQ(whole.refusals().size(), 1U);
}

TEST(LimitedGateway, operations_of_another_firewall_are_not_there) {
    MemoryGateway whole;
    whole.complete_at_once(1);
    const auto captured = whole.start(order_of(OperationType::Capture));
    LimitedGateway theirs{whole, {Role::Operator, {{"core"}}}};
    EXPECT_EQ(theirs.find(captured->id).error().number, ENOENT);
    EXPECT_EQ(theirs.wait(captured->id, {}).error().number, ENOENT);
    EXPECT_EQ(theirs.cancel(captured->id).error().number, ENOENT);
    EXPECT_EQ(theirs.flows(captured->id, 0, 1).error().number, ENOENT);
    EXPECT_TRUE(theirs.list({})->empty());
    auto flush = order_of(OperationType::Flush);
    flush.from_operation = captured->id;
    EXPECT_EQ(theirs.start(flush).error().number, ENOENT);
}

TEST(LimitedGateway, a_list_is_full_though_others_operations_lie_between) {
    MemoryGateway whole;
    whole.complete_at_once(0);
    for (int i = 0; i < 5; ++i)
        static_cast<void>(whole.start(order_of(OperationType::Capture)));
    LimitedGateway theirs{whole, {Role::Viewer, {{"edge", "core"}}}};
    OperationSelection selection;
    selection.at_most = 2;
    EXPECT_EQ(theirs.list(selection)->size(), 2U);
    selection.at_most = 9;
    EXPECT_EQ(theirs.list(selection)->size(), 5U);
}

TEST(LimitedGateway, the_configuration_names_their_firewalls_alone) {
    MemoryGateway whole;
    whole.configured.firewalls.push_back({"core", {{"a", {}, {}, {}}}});
    whole.findings = {{"policy", {"core", "a", ""}, "wrong"}, {"store", {}, ""}};
    LimitedGateway theirs{whole, {Role::Viewer, {{"edge"}}}};
    ASSERT_EQ(theirs.configuration()->firewalls.size(), 1U);
    EXPECT_EQ(theirs.configuration()->firewalls[0].name, "edge");
    EXPECT_EQ(theirs.readiness().size(), 1U);
}

TEST(LimitedGateway, flows_that_ended_are_told_of_their_firewalls_alone) {
    MemoryGateway whole;
    const auto take = [](std::string_view) { return Result<void>{}; };
    LimitedGateway viewer{whole, {Role::Viewer, {{"edge", "core"}}}};
    EXPECT_TRUE(viewer.for_each_ended({}, take));
    EXPECT_EQ(whole.last_ended_query().firewalls, (std::vector<std::string>{"edge", "core"}));
    EndedFlowQuery query;
    query.firewalls = {"core"};
    EXPECT_TRUE(viewer.for_each_ended(query, take));
    EXPECT_EQ(whole.last_ended_query().firewalls, query.firewalls);
    query.firewalls = {"core", "lab"};
    EXPECT_EQ(viewer.for_each_ended(query, take).error().number, EACCES);
    LimitedGateway unlimited{whole, {Role::Viewer, std::nullopt}};
    EXPECT_TRUE(unlimited.for_each_ended({}, take));
    EXPECT_EQ(whole.last_ended_query().firewalls, std::nullopt);
}

}  // namespace limited_gateway_test
}  // namespace headgate::gateway
