#include <gtest/gtest.h>

#include "gateway/gateway_json.h"
#include "http/problem.h"
#include "http/routes.h"
#include "operations/json_reader.h"
#include "support/memory_gateway.h"

namespace headgate::http {
namespace {

using namespace headgate::testing;

constexpr std::string_view kCapture = R"({"type":"FLOW_CAPTURE","filters":[{}]})";

class Routes : public ::testing::Test {
  protected:
    Answer ask(std::string method, std::string_view target, std::string_view body = {}) {
        Request request;
        request.method = std::move(method);
        if (auto taken = take_target(target, request); !taken) return problem_of(taken.error());
        request.body = body;
        if (!body.empty()) request.headers.emplace("content-type", "application/json; charset=utf-8");
        if (!token_.empty()) request.headers.emplace("idempotency-key", token_);
        request.caller = caller_;
        request.is_over = [this] { return over_; };
        return make_router(gateway_).answer(std::move(request));
    }
    FlowOperation started() {
        const auto answer = ask("POST", "/v1/operations", kCapture);
        EXPECT_EQ(answer.status, 202) << answer.body;
        return gateway::read_operation_json(answer.body).value();
    }
    static std::string detail_of(const Answer& answer) {
        EXPECT_EQ(answer.content_type, "application/problem+json");
        const auto object = operations::parse_json_object(answer.body).value();
        EXPECT_EQ(operations::read_number<int>(object, "status").value(), answer.status);
        return operations::read_text(object, "detail").value();
    }
    static std::string body_of(const Answer& answer) {
        std::string body;
        EXPECT_TRUE(answer.stream([&](std::string_view piece) -> Result<void> {
            body += piece;
            return {};
        }));
        return body;
    }

    MemoryGateway gateway_;
    Caller caller_{"unix", 0U, "root", "alice", "192.0.2.7"};
    std::string token_;
    bool over_ = false;
};

TEST_F(Routes, an_operation_is_started_for_its_caller) {
    token_ = "once";
    const auto operation = started();
    EXPECT_EQ(operation.id, "operation-1");
    EXPECT_EQ(operation.status, OperationStatus::InProgress);
    EXPECT_EQ(gateway_.last_order().caller, caller_);
    EXPECT_EQ(gateway_.last_order().token, "once");
    EXPECT_EQ(started().id, "operation-1") << "the same token is the same operation";
}

TEST_F(Routes, a_refused_operation_is_a_conflict_with_its_errno) {
    static_cast<void>(started());
    const auto answer = ask("POST", "/v1/operations", kCapture);
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(detail_of(answer), "one is running: operation-1");
    const auto error = error_of(answer.status, answer.body);
    EXPECT_EQ(error.kind, ErrorKind::Refused);
    EXPECT_EQ(error.number, EBUSY);
}

TEST_F(Routes, a_bad_order_names_what_is_wrong) {
    EXPECT_EQ(detail_of(ask("POST", "/v1/operations", R"({"type":7})")), "type: not a text");
    EXPECT_EQ(detail_of(ask("POST", "/v1/operations", R"({"type":"FLOW_CAPTURE","firewall":"core","filters":[{}]})")),
              "firewall: \"core\" is unknown");
    const auto unknown = ask("POST", "/v1/operations", R"({"type":"FLOW_FLUSH","from_capture":"x"})");
    EXPECT_EQ(unknown.status, 400) << "the path is right, the body is not";
    token_ = "two words";
    EXPECT_EQ(detail_of(ask("POST", "/v1/operations", kCapture)),
              "Idempotency-Key: 255 printable characters at most, without spaces");
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
    EXPECT_EQ(listed("?before=operation-2"), 1U);
    EXPECT_EQ(listed("?type=FLOW_FLUSH"), 0U);
    EXPECT_EQ(listed("?type=FLOW_CAPTURE&status=COMPLETED&firewall=edge&availability_zone=a"), 3U);
    EXPECT_EQ(listed("?firewall=c%6Fre"), 0U);
    EXPECT_EQ(detail_of(ask("GET", "/v1/operations?type=CAPTURE")),
              "type: \"CAPTURE\" is none of FLOW_CAPTURE, FLOW_FLUSH");
    EXPECT_EQ(detail_of(ask("GET", "/v1/operations?limit=0")), "limit: \"0\" is not a number from 1 to 10000");
    EXPECT_EQ(detail_of(ask("GET", "/v1/operations?limit=1&limit=2")), "limit: given twice");
    EXPECT_EQ(ask("GET", "/v1/operations?sort=up").status, 400);
    EXPECT_EQ(ask("GET", "/v1/operations?limit=%zz").status, 400);
}

TEST_F(Routes, an_operation_is_shown_and_its_end_waited_for) {
    const auto id = started().id;
    EXPECT_EQ(ask("GET", "/v1/operations/" + id).status, 200);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(ask("GET", "/v1/operations/" + id + "?wait_ms=50").status, 200);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds{50});
    over_ = true;
    EXPECT_EQ(ask("GET", "/v1/operations/" + id + "?wait_ms=30000").status, 200) << "nobody waits for it";
    over_ = false;
    gateway_.finish(id, {});
    const auto ended = ask("GET", "/v1/operations/" + id + "?wait_ms=30000");
    EXPECT_EQ(gateway::read_operation_json(ended.body).value().status, OperationStatus::Completed);
    EXPECT_EQ(ask("GET", "/v1/operations/" + id + "?wait_ms=30001").status, 400);
    EXPECT_EQ(ask("GET", "/v1/operations/" + id + "?wait_ms=-1").status, 400);
}

TEST_F(Routes, an_unknown_operation_is_not_found) {
    for (const auto* target : {"/v1/operations/x", "/v1/operations/x?wait_ms=5", "/v1/operations/x/flows"}) {
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

TEST_F(Routes, flows_are_lines_and_there_when_the_operation_has_ended) {
    const auto id = started().id;
    EXPECT_EQ(ask("GET", "/v1/operations/" + id + "/flows").status, 200) << "what a capture has found so far";
    gateway_.finish(id, {{tcp_flow().with_id(5), Outcome::Failed, EPERM}, {udp_flow(), Outcome::Flushed, 0}});
    const auto answer = ask("GET", "/v1/operations/" + id + "/flows");
    EXPECT_EQ(answer.content_type, "application/x-ndjson");
    const auto body = body_of(answer);
    EXPECT_EQ(std::ranges::count(body, '\n'), 2);
    EXPECT_TRUE(body.starts_with("{\"id\":5,")) << body;
    EXPECT_NE(body.find("\"outcome\":\"failed\",\"error\":\"Operation not permitted\"}\n"), std::string::npos) << body;
}

TEST_F(Routes, a_flow_table_is_counted) {
    gateway_.census = {{1, 2, 3}, {{{Family::Ipv4, Protocol::Tcp, FlowState::New}, 1}}};
    const auto answer = ask("GET", "/v1/flow-table?firewall=edge&availability_zone=a");
    EXPECT_EQ(gateway::read_census_json(answer.body).value().flows, gateway_.census.flows);
    EXPECT_EQ(ask("GET", "/v1/flow-table?firewall=core").status, 400);
}

TEST_F(Routes, a_policy_is_applied_shown_and_removed) {
    const auto policy_of = [](const Answer& answer) {
        return gateway::read_endpoint_policy_json(answer.body).value().status.policy;
    };
    const auto* body = R"({"policy":"drop-all","include_protected":true,"own_sessions":["protocol=tcp"]})";
    const auto applied = ask("PUT", "/v1/stream-exception-policy?firewall=edge", body);
    EXPECT_EQ(applied.status, 200) << applied.body;
    EXPECT_EQ(policy_of(applied)->name, "drop-all");
    const auto order = gateway_.last_policy_order();
    EXPECT_EQ(order.endpoint.firewall, "edge");
    EXPECT_EQ(order.own_sessions.size(), 1U);
    EXPECT_TRUE(order.include_protected);
    EXPECT_EQ(order.caller, caller_);
    EXPECT_EQ(policy_of(ask("GET", "/v1/stream-exception-policy"))->name, "drop-all");
    EXPECT_EQ(policy_of(ask("DELETE", "/v1/stream-exception-policy")), std::nullopt);
    EXPECT_EQ(ask("PUT", "/v1/stream-exception-policy", R"({"policy":"/tmp/x.yaml"})").status, 400);
}

TEST_F(Routes, what_is_not_there_or_not_so_is_told) {
    EXPECT_EQ(ask("GET", "/").status, 404);
    EXPECT_EQ(ask("GET", "/v1/operations/").status, 404) << "an empty id is none";
    EXPECT_EQ(ask("GET", "/v1/operations/x/flows/y").status, 404);
    EXPECT_EQ(ask("GET", "v1").status, 400);
    const auto answer = ask("PATCH", "/v1/stream-exception-policy");
    EXPECT_EQ(answer.status, 405);
    ASSERT_EQ(answer.headers.size(), 1U);
    EXPECT_EQ(answer.headers.front().second, "GET, PUT, DELETE");
    EXPECT_EQ(ask("POST", "/v1/operations").status, 415) << "no body is no JSON";
    EXPECT_EQ(ask("POST", "/v1/operations/x/cancel", "{}").status, 400);
}

TEST_F(Routes, a_failure_is_the_servers) {
    gateway_.fail_with({ErrorKind::Failed, "no disk", ENOSPC});
    const auto answer = ask("GET", "/v1/operations");
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(error_of(500, answer.body).number, ENOSPC);
    EXPECT_EQ(error_of(502, "<html>").message, "the agent answers 502 Bad Gateway");
}

}  // namespace
}  // namespace headgate::http
