// SPDX-License-Identifier: GPL-2.0-or-later
// The client and the server over a real socket.
#include "http/client/agent_gateway.h"

#include <gtest/gtest.h>

#include "support/served_gateway.h"

namespace headgate::http {
namespace agent_gateway_test {

using namespace headgate::testing;

class AgentsGateway : public ServedGateway {};

/// Flows that are equal after conversion to JSON and back.
std::vector<FlowRow> flows_for_wire() {
    return {{tcp_flow().established().with_id(1).with_bytes(1, 2).started_at(Timestamp{std::chrono::years{56}}),
             std::nullopt, 0},
            {udp_flow().from("2001:db8::1", 1).to("2001:db8::2", 53).in_zone(7), Outcome::Failed, EPERM},
            {tcp_flow().leaving_as("192.0.2.9", 61000).redirected_to("10.0.2.2", 8443), Outcome::Gone, 0}};
}

TEST_F(AgentsGateway, an_operation_is_started_waited_for_and_its_flows_read) {
    start();
    const auto agent = client();
    auto request = capture();
    request.query.states = StateScope::Active;
    request.token = "once";
    request.caller.sudo_user = "alice";
    const auto operation = agent->start(request);
    ASSERT_TRUE(operation) << operation.error().message;
    EXPECT_EQ(operation->query, request.query);
    EXPECT_EQ(operation->caller.face, "unix");
    EXPECT_EQ(operation->caller.uid, ::geteuid());
    EXPECT_EQ(operation->caller.sudo_user, ::geteuid() == 0 ? "alice" : "") << "only root is believed";
    EXPECT_EQ(agent->start(request)->id, operation->id);

    std::thread ending{[&] {
        EXPECT_TRUE(soon([&] { return gateway_.waiting() != 0; }));
        gateway_.finish(operation->id, flows_for_wire());
    }};
    const auto ended = agent->wait(operation->id, 10s);
    ending.join();
    ASSERT_TRUE(ended) << ended.error().message;
    EXPECT_EQ(ended->status, OperationStatus::Completed);
    EXPECT_EQ(agent->find(operation->id).value(), *ended);
    EXPECT_EQ(agent->list({}).value().size(), 1U);
    EXPECT_EQ(agent->list({.user = ended->caller.name(), .since = Timestamp{}}).value().size(), 1U);
    EXPECT_EQ(agent->list({.user = "another user"}).value().size(), 0U);
    EXPECT_EQ(agent->list({.since = ended->requested_at + 1s}).value().size(), 0U);

    std::vector<FlowRow> flows;
    const auto read = agent->for_each_flow(operation->id, 0, [&](std::span<const FlowRow> more) -> Result<void> {
        flows.insert(flows.end(), more.begin(), more.end());
        return {};
    });
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(flows, flows_for_wire());
}

TEST_F(AgentsGateway, a_hundred_thousand_flows_come_in_their_order) {
    start();
    constexpr std::uint32_t kFlows = 100'000;
    gateway_.complete_at_once(kFlows);
    const auto id = client()->start(capture())->id;
    const auto expected = numbered_flows(0, kFlows);
    std::size_t count = 0;
    std::size_t wrong = 0;
    const auto read = client()->for_each_flow(id, 0, [&](std::span<const FlowRow> flows) -> Result<void> {
        EXPECT_LE(flows.size(), 256U);
        for (const auto& flow : flows)
            if (flow != expected[count++]) ++wrong;
        return {};
    });
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(count, kFlows);
    EXPECT_EQ(wrong, 0U);
}

TEST_F(AgentsGateway, errors_come_back_as_the_gateway_gave_them) {
    start();
    const auto agent = client();
    const auto unknown = agent->find("x");
    EXPECT_EQ(unknown.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(unknown.error().message, "operation x is not there");
    EXPECT_EQ(agent->wait("x", 1s).error().kind, ErrorKind::NotFound);
    EXPECT_EQ(agent->cancel("x").error().kind, ErrorKind::NotFound);
    EXPECT_TRUE(agent->start(capture()));
    const auto busy = agent->start(capture());
    EXPECT_EQ(busy.error().kind, ErrorKind::Busy);
    EXPECT_EQ(agent->statistics({"core", {}, {}}).error().message, "firewall: \"core\" is unknown");
    gateway_.fail_with({ErrorKind::DiskFault, "no disk: \"x\"\n", ENOSPC});
    const auto failed = agent->list({});
    EXPECT_EQ(failed.error().kind, ErrorKind::DiskFault);
    EXPECT_EQ(failed.error().number, ENOSPC);
    EXPECT_EQ(failed.error().message, "no disk: \"x\"\n");
}

TEST_F(AgentsGateway, the_quarantine_is_that_of_the_agent) {
    start();
    const auto agent = client();
    auto& quarantines = static_cast<gateway::Gateway&>(*agent).quarantines();
    gateway::QuarantineRequest request;
    request.endpoint.firewall = "edge";
    request.prefixes = {parse_prefix("10.20.0.7").value(), parse_prefix("2001:db8::/64").value()};
    request.time = std::chrono::seconds{60};
    request.reason = "scans";
    request.include_protected = true;
    const auto added = quarantines.add(request);
    ASSERT_TRUE(added.has_value()) << added.error().message;
    EXPECT_EQ(added->entries, gateway_.quarantine.entries().value());
    EXPECT_TRUE(gateway_.last_quarantine_request().include_protected);
    request.time = std::chrono::seconds{3600};
    EXPECT_EQ(quarantines.extend(request)->entries.front().left, request.time);
    EXPECT_EQ(quarantines.quarantined({})->entries.size(), 2U);
    EXPECT_TRUE(quarantines.remove(request));
    EXPECT_EQ(quarantines.remove(request).error().kind, ErrorKind::NotFound);
}

TEST_F(AgentsGateway, policies_and_tables_are_asked_for_by_endpoint) {
    start();
    const auto agent = client();
    gateway_.census = {{1, 2, 3}, 4, {{{Family::Ipv4, Protocol::Tcp, FlowState::New}, 1}}};
    EXPECT_EQ(agent->statistics({"edge", "a", {}})->flows, gateway_.census.flows);
    gateway::PolicyRequest request;
    request.policy = "drop-all";
    request.endpoint.availability_zone = "a";
    const auto applied = agent->apply(request);
    ASSERT_TRUE(applied) << applied.error().message;
    EXPECT_EQ(applied->warnings.size(), 1U);
    EXPECT_EQ(gateway_.last_policy_request().endpoint, request.endpoint);
    EXPECT_EQ(agent->status({})->status.policy->name, "drop-all");
    EXPECT_EQ(agent->remove(request)->status.policy, std::nullopt);
    request.endpoint.network_namespace = "gw";
    EXPECT_EQ(agent->apply(request).error().kind, ErrorKind::Invalid) << "one-off runs are not the agent's";
}

TEST_F(AgentsGateway, a_stream_that_breaks_is_an_error_and_not_an_end) {
    start();
    gateway_.complete_at_once(10'000);
    const auto id = client()->start(capture())->id;
    std::size_t count = 0;
    const auto sink = [&](std::span<const FlowRow> flows) -> Result<void> {
        count += flows.size();
        return {};
    };
    gateway_.break_after(5120);
    const auto cut = client()->for_each_flow(id, 0, sink);
    ASSERT_FALSE(cut) << "asked to go on where it was cut, the agent says why";
    EXPECT_EQ(cut.error().message, "the disk is broken");
    EXPECT_EQ(count, 5120U);
    gateway_.break_after(0);
    EXPECT_EQ(client()->for_each_flow(id, 0, sink).error().message, "the disk is broken")
        << "nothing had been sent yet";
}

TEST_F(AgentsGateway, a_client_that_goes_away_in_the_middle_of_a_stream_frees_everything) {
    start();
    gateway_.complete_at_once(100'000);
    const auto id = client()->start(capture())->id;
    for (int i = 0; i < 10; ++i) {
        const auto left = client()->for_each_flow(id, 0, [](auto) -> Result<void> { return failed("enough"); });
        EXPECT_EQ(left.error().message, "enough");
    }
    EXPECT_TRUE(soon([&] { return server_->connections() == 0 && gateway_.streams() == 0; }));
}

TEST_F(AgentsGateway, a_client_that_goes_away_while_it_waits_frees_its_thread) {
    start();
    const auto id = client()->start(capture())->id;
    {
        const auto waiter = raw();
        waiter.say("GET /v1/operations/" + id + "?wait_ms=30000 HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(soon([&] { return gateway_.waiting() == 1; }));
    }
    EXPECT_TRUE(soon([&] { return server_->connections() == 0 && gateway_.waiting() == 0; }));
}

}  // namespace agent_gateway_test
}  // namespace headgate::http
