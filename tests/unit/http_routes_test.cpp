// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "flow/json_reader.h"
#include "gateway/gateway_json.h"
#include "gateway/quarantine_json.h"
#include "http/aws/firewall_names.h"
#include "http/flow_blocks.h"
#include "http/problem.h"
#include "http/rest/routes.h"
#include "support/memory_gateway.h"

namespace headgate::http {
namespace http_routes_test {

using namespace headgate::testing;

constexpr std::string_view kCapture = R"({"type":"FLOW_CAPTURE","filters":[{}]})";

class Routes : public ::testing::Test {
  protected:
    Response ask(std::string method, std::string_view target, std::string_view body = {}) {
        Request request;
        request.method = std::move(method);
        if (auto taken = parse_target(target, request); !taken) return problem_of(taken.error());
        request.body = body;
        if (!body.empty()) request.headers.emplace("content-type", "application/json; charset=utf-8");
        if (!token_.empty()) request.headers.emplace("idempotency-key", token_);
        if (!accept_.empty()) request.headers.emplace("accept", accept_);
        request.caller = caller_;
        request.permissions = permissions_;
        request.is_over = [this] { return over_; };
        return make_router(gateway_, replays_, metrics_).answer(std::move(request));
    }
    FlowOperation started() {
        const auto answer = ask("POST", "/v1/operations", kCapture);
        EXPECT_EQ(answer.status, 202) << answer.body;
        return gateway::read_operation_json(answer.body).value();
    }
    Response results(const std::string& id, std::string_view query = {}, std::string accept = {}) {
        accept_ = std::move(accept);
        return ask("GET", fmt::format("/v1/operations/{}/results{}", id, query));
    }
    static std::string detail_of(const Response& answer) {
        EXPECT_EQ(answer.content_type, "application/problem+json");
        const auto object = parse_json_object(answer.body).value();
        EXPECT_EQ(object.number<int>("status").value(), answer.status);
        return object.text("detail").value();
    }
    static std::string body_of(const Response& answer) {
        std::string body;
        EXPECT_TRUE(answer.stream([&](std::string_view piece) -> Result<void> {
            body += piece;
            return {};
        }));
        return body;
    }

    MemoryGateway gateway_;
    Metrics metrics_;
    Caller caller_{"unix", 0U, "root", "alice", "192.0.2.7"};
    access::ReplayGuard replays_{kSystemClock.now()};
    access::Permissions permissions_ = access::kEverything;
    std::string token_;
    std::string accept_;
    bool over_ = false;
};

TEST_F(Routes, an_operation_is_started_for_its_caller) {
    token_ = "once";
    const auto operation = started();
    EXPECT_EQ(operation.id, "operation-1");
    EXPECT_EQ(operation.status, OperationStatus::InProgress);
    EXPECT_EQ(gateway_.last_request().caller, caller_);
    EXPECT_EQ(gateway_.last_request().token, "rest:unix:root:once");
    EXPECT_EQ(started().id, "operation-1") << "the same token is the same operation";
}

TEST_F(Routes, a_refused_operation_is_a_conflict_with_its_kind) {
    static_cast<void>(started());
    const auto answer = ask("POST", "/v1/operations", kCapture);
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(detail_of(answer), "one is running: operation-1");
    const auto error = error_of(answer.status, answer.body);
    EXPECT_EQ(error.kind, ErrorKind::Busy);
}

TEST_F(Routes, a_bad_request_names_what_is_wrong) {
    EXPECT_EQ(detail_of(ask("POST", "/v1/operations", R"({"type":7})")), "type: not a text");
    EXPECT_EQ(detail_of(ask("POST", "/v1/operations", R"({"type":"FLOW_CAPTURE","firewall":"core","filters":[{}]})")),
              "firewall: \"core\" is unknown");
    const auto unknown = ask("POST", "/v1/operations", R"({"type":"FLOW_FLUSH","from_capture":"x"})");
    EXPECT_EQ(unknown.status, 400) << "the path is right, the body is not";
    token_ = "two words";
    EXPECT_EQ(detail_of(ask("POST", "/v1/operations", kCapture)),
              "Idempotency-Key: 255 printable characters at most, without spaces");
}

TEST_F(Routes, a_request_is_validated_without_starting_anything) {
    const auto checked = ask("POST", "/v1/validate", R"({"type":"FLOW_CAPTURE","filters":[{"source":"10.0.1.7"}]})");
    EXPECT_EQ(checked.status, 200) << checked.body;
    EXPECT_NE(checked.body.find(R"("filters":[{"source":"10.0.1.7"}])"), std::string::npos) << checked.body;
    EXPECT_EQ(gateway_.list({}).value().size(), 0U);
    const auto wrong = [&](std::string_view request) { return detail_of(ask("POST", "/v1/validate", request)); };
    EXPECT_EQ(wrong(R"({"type":"FLOW_CAPTURE","filters":[{},{"destination_port":"70000"}]})").substr(0, 28),
              "filters[1].destination_port:");
    EXPECT_EQ(wrong(R"({"type":"FLOW_CAPTURE","firewall":"core","filters":[{}]})").substr(0, 10), "firewall: ");
}

TEST_F(Routes, a_session_shows_the_caller_and_its_permissions) {
    EXPECT_NE(ask("GET", "/v1/session").body.find(R"("user":"root")"), std::string::npos);
    EXPECT_NE(ask("GET", "/v1/session").body.find(R"("role":"operator","version":")"), std::string::npos);
    permissions_ = {access::Role::Viewer, std::vector<std::string>{"edge"}};
    EXPECT_NE(ask("GET", "/v1/session").body.find(R"("role":"viewer","firewalls":["edge"],)"), std::string::npos);
}

TEST_F(Routes, operations_are_listed_as_they_are_selected) {
    gateway_.complete_at_once(0);
    for (int i = 0; i < 3; ++i)
        static_cast<void>(started());
    const auto listed = [&](std::string_view query) {
        const auto answer = ask("GET", "/v1/operations" + std::string{query});
        EXPECT_EQ(answer.status, 200) << answer.body;
        return gateway::read_operations_json(answer.body).value().size();
    };
    EXPECT_EQ(listed(""), 3U);
    EXPECT_EQ(listed("?limit=2"), 2U);
    EXPECT_EQ(listed("?cursor=operation-2"), 1U);
    EXPECT_EQ(listed("?type=FLOW_FLUSH"), 0U);
    EXPECT_EQ(listed("?type=FLOW_CAPTURE&status=COMPLETED&firewall=edge&availability_zone=a"), 3U);
    EXPECT_EQ(listed("?firewall=c%6Fre"), 0U);
    EXPECT_EQ(listed("?user=alice&since=1970-01-01T00:00:00Z"), 3U);
    EXPECT_EQ(listed("?user=root"), 0U) << "alice used sudo";
    EXPECT_EQ(listed("?since=2199-01-01T00:00:00Z"), 0U);
    EXPECT_EQ(detail_of(ask("GET", "/v1/operations?since=1h")),
              "since: \"1h\" is not a time such as 2026-11-21T09:30:00.123Z");
    EXPECT_EQ(detail_of(ask("GET", "/v1/operations?type=CAPTURE")),
              "type: \"CAPTURE\" is none of FLOW_CAPTURE, FLOW_FLUSH and FLOW_REMATCH");
    EXPECT_EQ(detail_of(ask("GET", "/v1/operations?limit=0")), "limit: \"0\" is not a number from 1 to 10000");
    EXPECT_EQ(detail_of(ask("GET", "/v1/operations?limit=1&limit=2")), "limit: given twice");
    EXPECT_EQ(ask("GET", "/v1/operations?sort=up").status, 400);
    EXPECT_EQ(ask("GET", "/v1/operations?limit=%zz").status, 400);
}

TEST_F(Routes, a_long_list_goes_on_behind_its_cursor) {
    gateway_.complete_at_once(0);
    for (int i = 0; i < 3; ++i)
        static_cast<void>(started());
    const auto first = ask("GET", "/v1/operations?limit=2");
    const auto object = parse_json_object(first.body).value();
    const auto cursor = object.text("next_cursor").value();
    const auto second = ask("GET", "/v1/operations?limit=2&cursor=" + cursor);
    EXPECT_EQ(gateway::read_operations_json(second.body).value().at(0).id, "operation-1");
    EXPECT_EQ(second.body.find("next_cursor"), std::string::npos) << "that was all";
}

TEST_F(Routes, an_operation_is_shown_and_its_end_waited_for) {
    const auto id = started().id;
    EXPECT_EQ(ask("GET", "/v1/operations/" + id).status, 200);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(ask("GET", "/v1/operations/" + id + "?wait_ms=50").status, 200);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds{50});
    over_ = true;
    EXPECT_EQ(ask("GET", "/v1/operations/" + id + "?wait_ms=30000").status, 200) << "no client waits for it";
    over_ = false;
    gateway_.finish(id, {});
    const auto ended = ask("GET", "/v1/operations/" + id + "?wait_ms=30000");
    EXPECT_EQ(gateway::read_operation_json(ended.body).value().status, OperationStatus::Completed);
    EXPECT_EQ(ask("GET", "/v1/operations/" + id + "?wait_ms=30001").status, 400);
    EXPECT_EQ(ask("GET", "/v1/operations/" + id + "?wait_ms=-1").status, 400);
}

TEST_F(Routes, an_unknown_operation_is_not_found) {
    for (const auto* target :
         {"/v1/operations/x", "/v1/operations/x?wait_ms=5", "/v1/operations/x/results", "/v1/operations/x/events"}) {
        const auto answer = ask("GET", target);
        EXPECT_EQ(answer.status, 404);
        EXPECT_EQ(detail_of(answer), "operation x is not there");
    }
    EXPECT_EQ(ask("POST", "/v1/operations/x/cancel").status, 404);
    EXPECT_EQ(detail_of(ask("GET", "/v1/operations/a%2Fb%ff")), "operation a/b\xEF\xBF\xBD is not there");
}

TEST_F(Routes, an_operation_is_cancelled) {
    const auto id = started().id;
    const auto answer = ask("POST", "/v1/operations/" + id + "/cancel");
    EXPECT_EQ(answer.status, 202);
    EXPECT_NE(gateway::read_operation_json(answer.body).value().status, OperationStatus::InProgress);
}

TEST_F(Routes, results_are_in_the_form_that_the_client_prefers) {
    const auto id = started().id;
    gateway_.finish(id, {{tcp_flow().with_id(5), Outcome::Failed, EPERM}, {udp_flow(), Outcome::Flushed, 0}});
    const auto lines = results(id, {}, "application/x-ndjson");
    EXPECT_EQ(lines.content_type, "application/x-ndjson");
    const auto body = body_of(lines);
    EXPECT_EQ(std::ranges::count(body, '\n'), 2);
    EXPECT_TRUE(body.starts_with("{\"id\":5,")) << body;
    EXPECT_NE(body.find("\"outcome\":\"failed\",\"error\":\"Operation not permitted\"}\n"), std::string::npos) << body;

    const auto json = results(id);
    EXPECT_EQ(json.content_type, "application/json");
    const auto document = parse_json_object(body_of(json)).value();
    EXPECT_EQ(document.text("operation_id").value(), id);
    EXPECT_EQ(document.objects("flows").value().size(), 2U);
    EXPECT_FALSE(document.has("next_cursor"));

    const auto csv = results(id, {}, "text/csv;q=0.9, application/json;q=0.1");
    EXPECT_EQ(csv.content_type, "text/csv; charset=utf-8; header=present");
    const auto table = body_of(csv);
    EXPECT_TRUE(table.starts_with("id,family,protocol,")) << table;
    EXPECT_EQ(std::ranges::count(table, '\n'), 3);

    EXPECT_EQ(results(id, {}, "text/html").status, 406);
}

TEST_F(Routes, results_come_by_the_page_without_loss_or_repetition) {
    gateway_.complete_at_once(1000);
    const auto id = started().id;
    const auto whole = body_of(results(id, {}, "application/x-ndjson"));
    std::string pages;
    std::string cursor = "0";
    for (int i = 0; i < 4; ++i) {
        const auto page = results(id, "?limit=300&cursor=" + cursor, "application/x-ndjson");
        pages += body_of(page);
        const auto next = std::ranges::find(page.headers, "X-Next-Cursor", &std::pair<std::string, std::string>::first);
        ASSERT_EQ(next == page.headers.end(), i == 3);
        if (i < 3) cursor = next->second;
    }
    EXPECT_EQ(pages, whole);
    const auto document = parse_json_object(body_of(results(id, "?limit=999"))).value();
    EXPECT_EQ(document.text("next_cursor").value(), "999");
    EXPECT_EQ(document.objects("flows").value().size(), 999U);
    EXPECT_EQ(body_of(results(id, "?limit=1000")).find("next_cursor"), std::string::npos) << "these are all";
    EXPECT_EQ(body_of(results(id, "?cursor=5000", "application/x-ndjson")), "");
    for (const auto* query : {"?limit=0", "?limit=1000001", "?cursor=x", "?cursor=-1", "?cursor=9223372036854775807"})
        EXPECT_EQ(results(id, query).status, 400) << query;
}

TEST_F(Routes, results_for_the_command_line_are_the_whole_blocks_of_the_store) {
    gateway_.complete_at_once(1000);
    const auto id = started().id;
    const auto from_300 = results(id, "?cursor=300", std::string{kFlowBlocks});
    EXPECT_EQ(from_300.content_type, kFlowBlocks);
    std::vector<FlowRow> flows;
    const PackedFlowsSink unpack_all = [&](const PackedFlows& block) {
        EXPECT_EQ(block.first, 256 + flows.size());
        return operations::for_each_from(block, block.first, [&](std::span<const FlowRow> some) -> Result<void> {
            flows.insert(flows.end(), some.begin(), some.end());
            return {};
        });
    };
    FlowBlocks blocks{unpack_all};
    EXPECT_TRUE(blocks.feed(body_of(from_300)) && blocks.finish());
    EXPECT_EQ(flows, numbered_flows(256, 744));
    EXPECT_EQ(results(id, "?limit=300", std::string{kFlowBlocks}).status, 400);
    EXPECT_EQ(results(id, {}, "application/*").content_type, "application/json") << "who does not ask for it gets JSON";
}

TEST_F(Routes, results_of_a_capture_are_there_as_they_are_found_and_of_a_flush_at_its_end) {
    const auto capture = started().id;
    const auto json = body_of(results(capture));
    EXPECT_NE(json.find("\"flows\":[],\"status\":\"IN_PROGRESS\""), std::string::npos) << json;
    gateway_.finish(capture, {});
    const auto flush = ask("POST", "/v1/operations", R"({"type":"FLOW_FLUSH","filters":[{}],"all":true})");
    EXPECT_EQ(results(gateway::read_operation_json(flush.body).value().id).status, 409);
}

TEST_F(Routes, names_with_any_bytes_are_text_in_results_too) {
    caller_.user = "alice \xff";
    gateway_.complete_at_once(1);
    EXPECT_NE(body_of(results(started().id)).find("alice \xEF\xBF\xBD\""), std::string::npos);
}

TEST_F(Routes, a_flow_table_is_counted) {
    gateway_.census = {{1, 2, 3}, 4, {{{Family::Ipv4, Protocol::Tcp, FlowState::New}, 1}}};
    const auto answer = ask("GET", "/v1/flow-table?firewall=edge&availability_zone=a");
    EXPECT_EQ(gateway::read_table_json(answer.body).value().flows, gateway_.census.flows);
    EXPECT_EQ(ask("GET", "/v1/flow-table?firewall=core").status, 400);
}

TEST_F(Routes, a_policy_is_applied_shown_and_removed) {
    const auto policy_of = [](const Response& answer) {
        return gateway::read_endpoint_policy_json(answer.body).value().status.policy;
    };
    const auto* body = R"({"policy":"drop-all","include_protected":true,"own_sessions":["protocol=tcp"]})";
    const auto applied = ask("PUT", "/v1/stream-exception-policy?firewall=edge", body);
    EXPECT_EQ(applied.status, 200) << applied.body;
    EXPECT_EQ(policy_of(applied)->name, "drop-all");
    const auto request = gateway_.last_policy_request();
    EXPECT_EQ(request.endpoint.firewall, "edge");
    EXPECT_EQ(request.sessions.own.size(), 1U);
    EXPECT_TRUE(request.include_protected);
    EXPECT_EQ(request.caller, caller_);
    EXPECT_EQ(policy_of(ask("GET", "/v1/stream-exception-policy"))->name, "drop-all");
    EXPECT_EQ(policy_of(ask("DELETE", "/v1/stream-exception-policy")), std::nullopt);
    EXPECT_EQ(ask("PUT", "/v1/stream-exception-policy", R"({"policy":"/tmp/x.yaml"})").status, 400);
}

TEST_F(Routes, the_quarantine_is_changed_and_shown) {
    const auto entries_of = [](const Response& answer) {
        EXPECT_EQ(answer.status, 200) << answer.body;
        return gateway::read_endpoint_quarantine_json(answer.body).value().entries;
    };
    const auto added = entries_of(
        ask("POST", "/v1/quarantine?firewall=edge",
            R"({"addresses":["10.20.0.7"],"for_seconds":60,"action":"reject","reason":"scans","wide":true})"));
    ASSERT_EQ(added.size(), 1U);
    EXPECT_EQ(to_string(added[0].prefix), "10.20.0.7");
    EXPECT_EQ(added[0].action, QuarantineAction::Reject);
    EXPECT_EQ(gateway_.last_quarantine_request().caller, caller_);
    EXPECT_EQ(gateway_.last_quarantine_request().endpoint.firewall, "edge");
    EXPECT_TRUE(gateway_.last_quarantine_request().wide);
    const auto extended =
        entries_of(ask("POST", "/v1/quarantine/extend", R"({"addresses":["10.20.0.7"],"for_seconds":3600})"));
    EXPECT_EQ(extended.at(0).left, std::chrono::seconds{3600});
    EXPECT_EQ(entries_of(ask("GET", "/v1/quarantine")), extended);
    EXPECT_TRUE(entries_of(ask("POST", "/v1/quarantine/remove", R"({"addresses":["10.20.0.7"]})")).empty());
    EXPECT_EQ(ask("POST", "/v1/quarantine/remove", R"({"addresses":["10.20.0.7"]})").status, 404);
}

TEST_F(Routes, a_wrong_request_for_the_quarantine_is_recorded_and_changes_nothing) {
    const auto answer = ask("POST", "/v1/quarantine", R"({"addresses":["::/0"],"for_seconds":60})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(detail_of(answer), "addresses[0]: ::/0 is every address: name the ones that are meant");
    EXPECT_EQ(gateway_.refusals().size(), 1U);
    EXPECT_TRUE(gateway_.quarantine.entries()->empty());
}

TEST_F(Routes, the_gateway_is_described) {
    auto& endpoint = gateway_.configured.firewalls.at(0).endpoints.at(0);
    gateway_.configured.stream_exception_policy = "drop";
    EXPECT_EQ(
        ask("GET", "/v1/firewalls").body,
        "{\"firewalls\":[{\"name\":\"edge\",\"arn\":\"arn:aws:network-firewall:local:000000000000:firewall/edge\","
        "\"endpoints\":[{\"availability_zone\":\"a\",\"availability_zone_id\":\"a\",\"endpoint_id\":\"" +
            aws::vpc_endpoint_id("edge", "a") +
            "\","
            "\"stream_exception_policy\":\"drop\"}]}]}\n");
    endpoint.netns = "gw-a";
    endpoint.conntrack_zone = 5;
    endpoint.stream_exception_policy = "none";
    EXPECT_NE(ask("GET", "/v1/firewalls")
                  .body.find("\"netns\":\"gw-a\",\"conntrack_zone\":5,\"stream_exception_policy\":\"none\"}"),
              std::string::npos);
    EXPECT_NE(ask("GET", "/v1/configuration").body.find("\"netns\":\"gw-a\""), std::string::npos);
}

TEST_F(Routes, a_caller_of_some_firewalls_sees_what_concerns_those) {
    gateway_.configured.firewalls.push_back({"core", {{"a", "gw-core", {}, {}}}});
    gateway_.configured.protected_filters = {FlowFilter{}};
    permissions_ = {access::Role::Viewer, std::vector<std::string>{"edge"}};
    EXPECT_EQ(ask("GET", "/v1/configuration").body,
              "{\"configuration\":{\"region\":\"local\",\"account\":\"000000000000\",\"retention\":\"12h\","
              "\"operation_timeout\":\"1m\",\"firewalls\":[{\"name\":\"edge\",\"endpoints\":[{"
              "\"availability_zone\":\"a\"}]}],\"stream_exception_policy\":\"none\"}}\n");
    permissions_ = access::kEverything;
    EXPECT_NE(ask("GET", "/v1/configuration").body.find("\"protected\":["), std::string::npos);
}

TEST_F(Routes, policies_are_found_by_their_names) {
    const auto all = parse_json_object(ask("GET", "/v1/stream-exception-policies").body).value();
    EXPECT_EQ(all.objects("policies").value().size(), gateway_.named_policies().size());
    const auto one = ask("GET", "/v1/stream-exception-policies/reject");
    EXPECT_TRUE(one.body.starts_with("{\"policy\":\"reject\",\"stream_exception_policy\":\"reject\",\"scope\":"))
        << one.body;
    EXPECT_EQ(detail_of(ask("GET", "/v1/stream-exception-policies/x")), "there is no stream exception policy x");
}

TEST_F(Routes, whoever_asks_for_the_head_alone_is_answered_as_to_get) {
    EXPECT_EQ(ask("HEAD", "/v1/operations").status, 200);
    EXPECT_EQ(ask("HEAD", "/v1/operations/x").status, 404);
    EXPECT_EQ(ask("HEAD", "/v1/operations/x/cancel").status, 405);
}

TEST_F(Routes, what_does_not_exist_or_does_not_apply_is_an_error) {
    EXPECT_EQ(ask("GET", "/").status, 404);
    EXPECT_EQ(ask("GET", "/v1/operations/").status, 404) << "an empty id is none";
    EXPECT_EQ(ask("GET", "/v1/operations/x/results/y").status, 404);
    EXPECT_EQ(ask("GET", "v1").status, 400);
    const auto answer = ask("PATCH", "/v1/stream-exception-policy");
    EXPECT_EQ(answer.status, 405);
    ASSERT_EQ(answer.headers.size(), 1U);
    EXPECT_EQ(answer.headers.front().second, "GET, HEAD, PUT, DELETE");
    EXPECT_EQ(ask("POST", "/v1/operations").status, 415) << "no body is no JSON";
    EXPECT_EQ(ask("POST", "/v1/operations/x/cancel", "{}").status, 400);
}

TEST_F(Routes, the_agent_can_be_watched) {
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
    EXPECT_EQ(ask("GET", "/readyz").status, 200);
    gateway_.findings = {{"store", {}, "no disk"}};
    EXPECT_EQ(ask("GET", "/readyz").status, 503);
    const auto answer = ask("GET", "/metrics");
    EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(answer.body.find("headgate_flow_table_entries{"), std::string::npos) << answer.body;
    EXPECT_EQ(answer.route, "/metrics");
}

TEST_F(Routes, a_failure_is_the_servers) {
    gateway_.fail_with({ErrorKind::DiskFault, "no disk", ENOSPC});
    const auto answer = ask("GET", "/v1/operations");
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(error_of(500, answer.body).kind, ErrorKind::DiskFault);
    EXPECT_EQ(error_of(500, answer.body).number, ENOSPC);
    EXPECT_EQ(error_of(502, "<html>").message, "the agent answers 502 Bad Gateway");
}

}  // namespace http_routes_test
}  // namespace headgate::http
