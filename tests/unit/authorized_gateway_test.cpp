// SPDX-License-Identifier: GPL-2.0-or-later
// A caller with limited permissions: other resources look nonexistent, and forbidden requests are refused and recorded.
#include "http/access/authorized_gateway.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/authorized.h"
#include "support/memory_gateway.h"

namespace headgate::gateway {
namespace authorized_gateway_test {

using http::access::Role;
using testing::authorized;
using testing::MemoryGateway;

OperationRequest request_of(OperationType type) {
    OperationRequest request;
    request.type = type;
    return request;
}

TEST(AuthorizedGateway, a_viewer_captures_but_does_not_flush) {
    MemoryGateway whole;
    whole.complete_at_once(3);
    const auto viewer = authorized(whole, {Role::Viewer, std::nullopt});
    const auto captured = viewer->operations().start(request_of(OperationType::Capture));
    ASSERT_TRUE(captured);
    EXPECT_EQ(viewer->operations().flows(captured->id, 1, 5)->size(), 2U);
    const auto flushed = viewer->operations().start(request_of(OperationType::Flush));
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().kind, ErrorKind::Forbidden);
    EXPECT_EQ(whole.refusals(), std::vector<std::string>{flushed.error().message});
}

TEST(AuthorizedGateway, a_viewer_has_no_flows_judged_but_sees_those_that_were) {
    MemoryGateway whole;
    whole.complete_at_once(3);
    const auto viewer = authorized(whole, {Role::Viewer, std::nullopt});
    EXPECT_EQ(viewer->operations().start(request_of(OperationType::Rematch)).error().kind, ErrorKind::Forbidden);
    const auto on_call = authorized(whole, {Role::Operator, std::nullopt});
    const auto judged = on_call->operations().start(request_of(OperationType::Rematch));
    ASSERT_TRUE(judged);
    EXPECT_EQ(viewer->operations().flows(judged->id, 0, 5)->size(), 3U);
}

TEST(AuthorizedGateway, a_viewer_changes_no_policy) {
    MemoryGateway whole;
    const auto viewer = authorized(whole, {Role::Viewer, std::nullopt});
    PolicyRequest request;
    request.policy = "drop";
    EXPECT_EQ(viewer->policies().apply(request).error().kind, ErrorKind::Forbidden);
    EXPECT_EQ(viewer->policies().remove(request).error().kind, ErrorKind::Forbidden);
    EXPECT_TRUE(viewer->policies().status({}));
    EXPECT_EQ(whole.refusals().size(), 2U);
    EXPECT_FALSE(whole.ruleset.policy);
}

TEST(AuthorizedGateway, a_viewer_sees_the_quarantine_and_does_not_change_it) {
    MemoryGateway whole;
    const auto viewer = authorized(whole, {Role::Viewer, std::nullopt});
    QuarantineRequest request;
    request.prefixes = {parse_prefix("192.0.2.7").value()};
    request.time = std::chrono::seconds{60};
    auto& quarantines = viewer->quarantines();
    EXPECT_EQ(quarantines.add(request).error().kind, ErrorKind::Forbidden);
    ASSERT_TRUE(whole.add(request));
    EXPECT_EQ(quarantines.extend(request).error().kind, ErrorKind::Forbidden);
    EXPECT_EQ(quarantines.remove(request).error().kind, ErrorKind::Forbidden);
    EXPECT_EQ(quarantines.quarantined({})->entries.size(), 1U);
    EXPECT_EQ(whole.refusals().size(), 3U);
}

TEST(AuthorizedGateway, a_viewer_cancels_its_own_captures_alone) {
    MemoryGateway whole;
    Caller me;
    me.face = "token";
    me.user = "dashboard";
    const auto viewer = authorized(whole, {Role::Viewer, std::nullopt}, me);
    const auto on_call = authorized(whole, {Role::Operator, std::nullopt}, me);
    auto request = request_of(OperationType::Capture);
    const auto others = whole.start(request);
    EXPECT_EQ(viewer->operations().cancel(others->id).error().kind, ErrorKind::Forbidden);
    EXPECT_TRUE(on_call->operations().cancel(others->id));
    request.caller = me;
    const auto own = whole.start(request);
    ASSERT_TRUE(own) << own.error().message;
    EXPECT_TRUE(viewer->operations().cancel(own->id));
    const auto flush = whole.start(request_of(OperationType::Flush));
    ASSERT_TRUE(flush) << flush.error().message;
    EXPECT_EQ(viewer->operations().cancel(flush->id).error().kind, ErrorKind::Forbidden);
}

TEST(AuthorizedGateway, midstream_counters_are_those_of_the_callers_firewalls_alone) {
    MemoryGateway whole;
    whole.ruleset.counters = {{"drop", Hook::Forward, PacketDirection::Any, "tcp", 1, 60}};
    const auto theirs = authorized(whole, {Role::Viewer, {{"edge"}}});
    EXPECT_EQ(theirs->monitoring().midstream_counters({}), whole.ruleset.counters);
    const auto others = authorized(whole, {Role::Viewer, {{"core"}}});
    EXPECT_FALSE(others->monitoring().midstream_counters({"edge", "a", {}}).has_value());
}

TEST(AuthorizedGateway, the_callers_only_firewall_is_the_default) {
    MemoryGateway whole;
    const auto theirs = authorized(whole, {Role::Operator, {{"edge"}}});
    ASSERT_TRUE(theirs->operations().start(request_of(OperationType::Flush)));
    EXPECT_EQ(whole.last_request().endpoint.firewall, "edge");
    const auto several = authorized(whole, {Role::Operator, {{"edge", "core"}}});
    EXPECT_EQ(several->monitoring().usage({}).error().kind, ErrorKind::Invalid);
}

TEST(AuthorizedGateway, another_firewall_is_refused) {
    MemoryGateway whole;
    const auto theirs = authorized(whole, {Role::Operator, {{"core"}}});
    auto request = request_of(OperationType::Capture);
    request.endpoint.firewall = "edge";
    EXPECT_EQ(theirs->operations().start(request).error().kind, ErrorKind::Forbidden);
    EXPECT_EQ(theirs->tables().statistics(request.endpoint).error().kind, ErrorKind::Forbidden);
    EXPECT_EQ(whole.refusals().size(), 1U);
}

TEST(AuthorizedGateway, operations_of_another_firewall_are_not_there) {
    MemoryGateway whole;
    whole.complete_at_once(1);
    const auto captured = whole.start(request_of(OperationType::Capture));
    const auto theirs = authorized(whole, {Role::Operator, {{"core"}}});
    EXPECT_EQ(theirs->operations().find(captured->id).error().kind, ErrorKind::NotFound);
    EXPECT_EQ(theirs->operations().wait(captured->id, {}).error().kind, ErrorKind::NotFound);
    EXPECT_EQ(theirs->operations().cancel(captured->id).error().kind, ErrorKind::NotFound);
    EXPECT_EQ(theirs->operations().flows(captured->id, 0, 1).error().kind, ErrorKind::NotFound);
    EXPECT_TRUE(theirs->operations().list({})->empty());
    auto flush = request_of(OperationType::Flush);
    flush.from_operation = captured->id;
    EXPECT_EQ(theirs->operations().start(flush).error().kind, ErrorKind::NotFound);
}

TEST(AuthorizedGateway, a_list_is_full_though_others_operations_lie_between) {
    MemoryGateway whole;
    whole.complete_at_once(0);
    for (int i = 0; i < 5; ++i)
        static_cast<void>(whole.start(request_of(OperationType::Capture)));
    const auto theirs = authorized(whole, {Role::Viewer, {{"edge", "core"}}});
    OperationSelection selection;
    selection.at_most = 2;
    EXPECT_EQ(theirs->operations().list(selection)->size(), 2U);
    selection.at_most = 9;
    EXPECT_EQ(theirs->operations().list(selection)->size(), 5U);
}

TEST(AuthorizedGateway, the_configuration_names_their_firewalls_alone) {
    MemoryGateway whole;
    whole.configured.firewalls.push_back({"core", {{"a", {}, {}, {}}}});
    whole.findings = {{"policy", {"core", "a", ""}, "wrong"}, {"store", {}, ""}};
    const auto theirs = authorized(whole, {Role::Viewer, {{"edge"}}});
    ASSERT_EQ(theirs->inventory().configuration()->firewalls.size(), 1U);
    EXPECT_EQ(theirs->inventory().configuration()->firewalls[0].name, "edge");
    EXPECT_EQ(theirs->monitoring().readiness().size(), 1U);
}

/// Two firewalls in one network namespace under two paths, a third with one conntrack zone of it, and a fourth in
/// another namespace.
config::Configuration sharing() {
    config::Configuration configuration;
    configuration.firewalls = {{"edge", {{"a", "gw", {}, {}}}},
                               {"twin", {{"a", "/proc/1/ns/net", {}, {}}}},
                               {"tenant", {{"a", "gw", 5, {}}}},
                               {"far", {{"a", "far", {}, {}}}}};
    return configuration;
}

class SharedNamespace : public ::testing::Test {
  protected:
    SharedNamespace() {
        whole_.configured = sharing();
        whole_.other_names = {{"/proc/1/ns/net", "/run/netns/gw"}};
        whole_.complete_at_once(1);
    }
    /// The kind of error that a caller gets who is permitted these firewalls only; nothing on success.
    using Answer = std::optional<ErrorKind>;
    using Ask = std::function<Answer(ManagedGateway&)>;
    static constexpr Answer kAllowed{};
    Answer answer_to(std::vector<std::string> firewalls, const Ask& ask) {
        return ask(*authorized(whole_, {Role::Operator, std::move(firewalls)}));
    }
    static Answer error_of(const auto& result) { return result ? std::nullopt : Answer{result.error().kind}; }

    static Ask change_policy(std::string firewall) {
        return [=](ManagedGateway& theirs) {
            PolicyRequest request;
            request.endpoint.firewall = firewall;
            request.policy = "drop";
            const auto applied = error_of(theirs.policies().apply(request));
            EXPECT_EQ(error_of(theirs.policies().remove(request)), applied);
            EXPECT_EQ(error_of(theirs.policies().may_change(request.endpoint)), applied);
            return applied;
        };
    }
    static Ask change_quarantine(std::string firewall) {
        return [=](ManagedGateway& theirs) {
            QuarantineRequest request;
            request.endpoint.firewall = firewall;
            request.prefixes = {parse_prefix("192.0.2.7").value()};
            request.time = std::chrono::seconds{60};
            const auto added = error_of(theirs.quarantines().add(request));
            EXPECT_EQ(error_of(theirs.quarantines().extend(request)), added);
            EXPECT_EQ(error_of(theirs.quarantines().quarantined(request.endpoint)), added);
            EXPECT_EQ(error_of(theirs.quarantines().remove(request)), added);
            return added;
        };
    }
    static Ask start(OperationType type, std::string firewall, const std::function<void(OperationRequest&)>& further) {
        return [=](ManagedGateway& theirs) {
            auto request = request_of(type);
            request.endpoint.firewall = firewall;
            further(request);
            return error_of(theirs.operations().start(request));
        };
    }
    static Ask start(OperationType type, std::string firewall) {
        return start(type, std::move(firewall), [](auto&) {});
    }

    MemoryGateway whole_;
};

TEST_F(SharedNamespace, a_policy_takes_the_rights_to_every_firewall_that_it_is_in_force_for) {
    for (const auto* firewall : {"edge", "twin", "tenant"}) {
        EXPECT_EQ(answer_to({firewall}, change_policy(firewall)), ErrorKind::Forbidden) << firewall;
        EXPECT_EQ(answer_to({"edge", "twin", "tenant"}, change_policy(firewall)), kAllowed) << firewall;
    }
    EXPECT_EQ(answer_to({"edge", "twin"}, change_policy("edge")), ErrorKind::Forbidden)
        << "a zone of it is the tenant's";
    EXPECT_EQ(answer_to({"far"}, change_policy("far")), kAllowed);
    EXPECT_EQ(whole_.refusals().size(), 2 * 4U) << "each is on record";
    const auto everywhere = authorized(whole_, {Role::Operator, std::nullopt});
    EXPECT_EQ(change_policy("tenant")(*everywhere), kAllowed);
}

TEST_F(SharedNamespace, a_quarantine_takes_the_same) {
    for (const auto* firewall : {"edge", "twin", "tenant"}) {
        EXPECT_EQ(answer_to({firewall}, change_quarantine(firewall)), ErrorKind::Forbidden) << firewall;
        EXPECT_EQ(answer_to({"edge", "twin", "tenant"}, change_quarantine(firewall)), kAllowed) << firewall;
    }
    EXPECT_EQ(answer_to({"far"}, change_quarantine("far")), kAllowed);
}

TEST_F(SharedNamespace, a_flush_that_brings_a_policy_takes_the_same) {
    const auto with_policy = [](OperationRequest& request) { request.stream_exception_policy = "drop"; };
    EXPECT_EQ(answer_to({"tenant"}, start(OperationType::Flush, "tenant", with_policy)), ErrorKind::Forbidden);
    EXPECT_EQ(answer_to({"edge", "twin", "tenant"}, start(OperationType::Flush, "tenant", with_policy)), kAllowed);
    EXPECT_FALSE(whole_.last_request().own_flows_alone);
    EXPECT_EQ(answer_to({"tenant"}, start(OperationType::Flush, "tenant")), kAllowed);
    EXPECT_TRUE(whole_.last_request().own_flows_alone) << "no window: it catches packets of the others";
}

TEST_F(SharedNamespace, a_rematch_shows_rules_and_takes_the_same) {
    EXPECT_EQ(answer_to({"tenant"}, start(OperationType::Rematch, "tenant")), ErrorKind::Forbidden)
        << "the rules are those of the others, too";
    EXPECT_EQ(answer_to({"edge", "twin", "tenant"}, start(OperationType::Rematch, "tenant")), kAllowed);
    auto request = request_of(OperationType::Rematch);
    request.endpoint.firewall = "tenant";
    const auto judged = whole_.start(request);
    const auto results = [&](ManagedGateway& theirs) { return error_of(theirs.operations().flows(judged->id, 0, 1)); };
    EXPECT_EQ(answer_to({"tenant"}, results), ErrorKind::Forbidden);
    EXPECT_EQ(answer_to({"edge", "twin", "tenant"}, results), kAllowed);
}

TEST_F(SharedNamespace, flows_of_others_are_neither_ended_nor_shown) {
    const auto census = [](std::string firewall) {
        return [=](ManagedGateway& theirs) { return error_of(theirs.tables().statistics({firewall, {}, {}})); };
    };
    for (const auto& ask :
         {start(OperationType::Capture, "edge"), start(OperationType::Flush, "edge"), Ask{census("edge")}}) {
        EXPECT_EQ(answer_to({"edge"}, ask), ErrorKind::Forbidden)
            << "those of its zone are the tenant's, all are the twin's";
        EXPECT_EQ(answer_to({"edge", "twin"}, ask), ErrorKind::Forbidden);
        EXPECT_EQ(answer_to({"edge", "twin", "tenant"}, ask), kAllowed);
    }
    EXPECT_EQ(answer_to({"tenant"}, start(OperationType::Flush, "tenant")), kAllowed) << "they are its own";
    EXPECT_EQ(answer_to({"tenant"}, census("tenant")), kAllowed);
    const auto in_zone = [](std::uint16_t zone) {
        return [=](OperationRequest& request) { request.query.zone = zone; };
    };
    EXPECT_EQ(answer_to({"edge", "twin"}, start(OperationType::Flush, "edge", in_zone(4))), kAllowed)
        << "no other firewall has that zone";
    EXPECT_EQ(answer_to({"edge"}, start(OperationType::Flush, "edge", in_zone(4))), ErrorKind::Forbidden)
        << "but the twin's";
    EXPECT_EQ(answer_to({"edge", "twin"}, start(OperationType::Flush, "edge", in_zone(5))), ErrorKind::Forbidden);
}

TEST_F(SharedNamespace, what_was_found_for_a_caller_with_more_permissions_is_not_shown_to_one_with_fewer) {
    auto request = request_of(OperationType::Capture);
    request.endpoint.firewall = "edge";
    const auto captured = whole_.start(request);
    const auto results = [&](ManagedGateway& theirs) {
        return error_of(theirs.operations().flows(captured->id, 0, 1));
    };
    const auto flush = start(OperationType::Flush, "edge", [&](auto& asked) { asked.from_operation = captured->id; });
    for (const auto& ask : {Ask{results}, flush}) {
        EXPECT_EQ(answer_to({"edge"}, ask), ErrorKind::Forbidden);
        EXPECT_EQ(answer_to({"edge", "twin", "tenant"}, ask), kAllowed);
    }
    EXPECT_EQ(answer_to({"edge"}, [&](auto& theirs) { return error_of(theirs.operations().find(captured->id)); }),
              kAllowed);
}

TEST_F(SharedNamespace, where_the_other_firewalls_there_cannot_be_determined_nothing_is_done) {
    whole_.configured.firewalls[1].endpoints[0].netns = "unknown";
    EXPECT_EQ(answer_to({"far"}, change_policy("far")), ErrorKind::Failed);
    whole_.configured.firewalls[1].endpoints[0].netns = "gone";
    EXPECT_EQ(answer_to({"far"}, change_policy("far")), kAllowed)
        << "a namespace that does not exist has no other firewall";
}

TEST(AuthorizedGateway, what_is_of_no_single_firewall_is_not_shown) {
    MemoryGateway whole;
    whole.configured.protected_filters = {FlowFilter{}};
    whole.configured.state_dir = "/srv/state";
    whole.configured.audit_log = "/srv/audit.log";
    whole.configured.http.credentials = "/srv/credentials.yaml";
    whole.configured.flow_log.sinks.emplace_back().file = "/srv/flow.json";
    whole.configured.files = {"/srv/headgate.yaml"};
    whole.findings = {{"audit_log", {}, "/srv/audit.log: no space"}};
    whole.flow_log.dropped = 7;
    const auto theirs = authorized(whole, {Role::Viewer, {{"edge"}}});
    config::Configuration expected;
    expected.firewalls = whole.configured.firewalls;
    EXPECT_EQ(*theirs->inventory().configuration(), expected);
    EXPECT_FALSE(theirs->inventory().is_whole());
    EXPECT_EQ(theirs->monitoring().flow_log_counts().dropped, 0U);
    ASSERT_EQ(theirs->monitoring().readiness().size(), 1U);
    EXPECT_EQ(theirs->monitoring().readiness()[0].fault.find("/srv"), std::string::npos);
    const auto everywhere = authorized(whole, {Role::Viewer, std::nullopt});
    EXPECT_TRUE(everywhere->inventory().is_whole());
    EXPECT_EQ(*everywhere->inventory().configuration(), whole.configured);
}

TEST(AuthorizedGateway, a_one_off_run_is_no_firewalls_whatever_its_name) {
    MemoryGateway whole;
    whole.complete_at_once(1);
    const auto one_off = whole.start(request_of(OperationType::Capture));
    whole.amend(one_off->id, [](FlowOperation& operation) { operation.endpoint.network_namespace = "other"; });
    const auto theirs = authorized(whole, {Role::Viewer, {{"edge"}}});
    EXPECT_EQ(theirs->operations().find(one_off->id).error().kind, ErrorKind::NotFound);
    EXPECT_TRUE(theirs->operations().list({})->empty());
    const auto everywhere = authorized(whole, {Role::Viewer, std::nullopt});
    EXPECT_EQ(everywhere->operations().list({})->size(), 1U);
}

TEST(AuthorizedGateway, a_list_asks_for_their_firewalls_and_no_others) {
    MemoryGateway whole;
    whole.complete_at_once(0);
    static_cast<void>(whole.start(request_of(OperationType::Capture)));
    const auto theirs = authorized(whole, {Role::Viewer, {{"edge", "core"}}});
    EXPECT_EQ(theirs->operations().list({.firewalls = {{"edge", "far"}}})->size(), 1U);
    EXPECT_TRUE(theirs->operations().list({.firewalls = {{"core"}}})->empty());
    EXPECT_TRUE(theirs->operations().list({.firewalls = {{"far"}}})->empty());
}

TEST(AuthorizedGateway, ended_flows_are_those_of_the_callers_firewalls_alone) {
    MemoryGateway whole;
    const auto sink = [](std::string_view) { return Result<void>{}; };
    const auto viewer = authorized(whole, {Role::Viewer, {{"edge", "core"}}});
    EXPECT_TRUE(viewer->ended_flows().for_each_ended({}, sink));
    EXPECT_EQ(whole.last_ended_query().firewalls, (std::vector<std::string>{"edge", "core"}));
    EndedFlowQuery query;
    query.firewalls = {"core"};
    EXPECT_TRUE(viewer->ended_flows().for_each_ended(query, sink));
    EXPECT_EQ(whole.last_ended_query().firewalls, query.firewalls);
    query.firewalls = {"core", "lab"};
    EXPECT_EQ(viewer->ended_flows().for_each_ended(query, sink).error().kind, ErrorKind::Forbidden);
    const auto unlimited = authorized(whole, {Role::Viewer, std::nullopt});
    EXPECT_TRUE(unlimited->ended_flows().for_each_ended({}, sink));
    EXPECT_EQ(whole.last_ended_query().firewalls, std::nullopt);
}

}  // namespace authorized_gateway_test
}  // namespace headgate::gateway
