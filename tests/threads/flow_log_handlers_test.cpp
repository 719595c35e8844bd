// SPDX-License-Identifier: GPL-2.0-or-later
// The flow log over HTTP.
#include <gtest/gtest.h>

#include <thread>

#include "flow/flow_json.h"
#include "flow/json_reader.h"
#include "http/problem.h"
#include "http/rest/handlers.h"
#include "http/rest/routes.h"
#include "support/flow_builder.h"
#include "support/served_gateway.h"

namespace headgate::http {
namespace flow_log_handlers_test {

using namespace headgate::testing;

class FlowLogOverHttp : public ServedGateway {
  protected:
    void end_flow(std::string_view name, std::optional<EndReason> reason, std::uint16_t port = 80,
                  std::string firewall = "edge") {
        EndedFlow ended;
        ended.flow = tcp_flow().to_port(port);
        ended.reason = reason;
        ended.endpoint = std::make_shared<const Endpoint>(Endpoint{std::move(firewall), "a", ""});
        gateway_.end_flow(std::move(ended), fmt::format(R"({{"name":"{}"}})", name));
    }
    Response ask(std::string_view query, std::string accept = {}) {
        Request request;
        request.method = "GET";
        if (auto taken = parse_target(fmt::format("/v1/flow-log{}", query), request); !taken) {
            return problem_of(taken.error());
        }
        request.headers.emplace("Accept", std::move(accept));
        request.permissions = permissions_;
        request.is_over = [this] { return over_.load(); };
        return make_router(gateway_, replays_, metrics_).answer(std::move(request));
    }
    /// All that the stream sends until it ends; calls `upon` with each piece.
    static std::string body_of(const Response& answer, const std::function<void(std::string_view)>& upon = {}) {
        EXPECT_EQ(answer.status, 200) << answer.body;
        std::string body;
        if (!answer.stream) return "no stream";
        const auto streamed = answer.stream([&](std::string_view piece) -> Result<void> {
            body += piece;
            if (upon) upon(piece);
            return {};
        });
        EXPECT_TRUE(streamed) << streamed.error().message;
        return body;
    }
    std::string names(std::string_view query) { return body_of(ask(query, "application/x-ndjson")); }
    static std::string detail_of(const Response& answer) {
        EXPECT_NE(answer.status, 200);
        return parse_json_object(answer.body).value().text("detail").value();
    }

    access::ReplayGuard replays_{kSystemClock.now()};
    access::Permissions permissions_ = access::kEverything;
    std::atomic<bool> over_ = false;
};

TEST_F(FlowLogOverHttp, comes_as_json_and_line_by_line) {
    EXPECT_EQ(body_of(ask("")), R"({"records":[]})");
    EXPECT_EQ(names(""), "");
    end_flow("a", EndReason::Closed);
    end_flow("b", std::nullopt);
    const auto answer = ask("");
    EXPECT_EQ(answer.content_type, "application/json");
    EXPECT_EQ(body_of(answer), R"({"records":[{"name":"a"},{"name":"b"}]})");
    EXPECT_EQ(names(""), "{\"name\":\"a\"}\n{\"name\":\"b\"}\n");
}

TEST_F(FlowLogOverHttp, reports_the_flows_that_are_chosen) {
    end_flow("a", EndReason::Closed);
    end_flow("b", EndReason::Flushed, 443);
    end_flow("c", EndReason::Timeout, 53, "core");
    end_flow("d", std::nullopt, 8080);
    const std::string a = "{\"name\":\"a\"}\n";
    const std::string b = "{\"name\":\"b\"}\n";
    const std::string c = "{\"name\":\"c\"}\n";
    EXPECT_EQ(names("?reason=flushed"), b);
    EXPECT_EQ(names("?reason=flushed,closed"), a + b);
    EXPECT_EQ(names("?reason=flushed&reason=timeout"), b + c);
    EXPECT_EQ(names("?filter=destination-port%3D80,protocol%3Dtcp&filter=destination-port%3D443"), a + b);
    EXPECT_EQ(names("?firewall=core"), c);
    EXPECT_EQ(names("?latest=3&reason=closed,timeout"), c) << "of the last three";
    EXPECT_EQ(names("?latest=0"), "");
}

TEST_F(FlowLogOverHttp, tells_the_flows_of_a_time_a_user_or_an_operation) {
    const auto operation_of = [](std::string_view user) {
        return fmt::format("4f7b000{}-9a60-4d0f-8b8e-2b1f0c9d7e31", user.front());
    };
    for (const auto* user : {"alice", "bob"}) {
        EndedFlow ended;
        ended.ended_at = parse_rfc3339("2026-11-21T09:30:00Z").value();
        ended.reason = EndReason::Flushed;
        ended.flush = std::make_shared<FlushAttribution>(FlushAttribution{operation_of(user), user, "none"});
        gateway_.end_flow(std::move(ended), user);
    }
    end_flow("undated", EndReason::Closed);
    EXPECT_EQ(names("?since=2026-11-21T09:30:00Z"), "alice\nbob\n");
    EXPECT_EQ(names("?since=2026-11-21T09:30:00.001Z"), "");
    EXPECT_EQ(names("?until=2026-11-21T09:29:00Z"), "{\"name\":\"undated\"}\n");
    EXPECT_EQ(names("?user=alice"), "alice\n");
    EXPECT_EQ(names("?operation=" + operation_of("bob")), "bob\n");
    EXPECT_EQ(names("?operation=4F7B000B"), "bob\n") << "by the first characters";
    EXPECT_EQ(names("?operation=4f7b"), "alice\nbob\n");
}

TEST_F(FlowLogOverHttp, errors_name_the_parameter_and_the_rule) {
    EXPECT_EQ(ask("?reason=gone").status, 400);
    EXPECT_TRUE(detail_of(ask("?reason=closed,gone")).starts_with("reason: "));
    EXPECT_EQ(ask("?reason=").status, 400);
    EXPECT_TRUE(detail_of(ask("?filter=port%3D80")).starts_with("filter: port"));
    EXPECT_EQ(detail_of(ask("?latest=5001")), "latest: \"5001\" is not a number from 0 to 5000");
    EXPECT_EQ(detail_of(ask("?latest=1&latest=2")), "latest: given twice");
    EXPECT_EQ(detail_of(ask("?since=1h")), "since: \"1h\" is not a time such as 2026-11-21T09:30:00.123Z");
    EXPECT_TRUE(detail_of(ask("?until=today")).starts_with("until: "));
    EXPECT_EQ(detail_of(ask("?operation=4f7")),
              "operation: \"4f7\" is neither an operation's id nor the first 4 or more characters of one");
    EXPECT_EQ(ask("?operation=").status, 400);
    EXPECT_EQ(detail_of(ask("?follow=yes")), "follow: \"yes\" is neither true nor false");
    std::string many = "?filter=protocol%3Dtcp";
    for (int i = 0; i < 20; ++i)
        many += "&filter=protocol%3Dtcp";
    EXPECT_EQ(detail_of(ask(many)), "filter: 20 of them at most");
    EXPECT_EQ(ask("", "text/html").status, 406);
    EXPECT_EQ(detail_of(ask("?follow=true", "application/json")),
              "Accept: with follow there are application/x-ndjson and text/event-stream");
}

TEST_F(FlowLogOverHttp, an_error_before_the_first_record_is_the_answer) {
    gateway_.fail_with({ErrorKind::Failed, "no flow log is kept", 0});
    start();
    EXPECT_TRUE(
        answer_to("GET /v1/flow-log HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 500 "));
}

TEST_F(FlowLogOverHttp, a_client_that_follows_gets_each_flow_as_it_ends) {
    end_flow("a", EndReason::Closed);
    const auto answer = ask("?follow=true", "*/*");
    EXPECT_EQ(answer.content_type, "application/x-ndjson");
    const auto told = body_of(answer, [&](std::string_view piece) {
        if (piece.find("\"a\"") != std::string_view::npos) end_flow("b", EndReason::Flushed);
        if (piece.find("\"b\"") != std::string_view::npos) over_ = true;
    });
    EXPECT_EQ(told, "{\"name\":\"a\"}\n{\"name\":\"b\"}\n");
}

TEST_F(FlowLogOverHttp, events_go_on_without_being_asked_to) {
    end_flow("a", EndReason::Closed);
    const auto answer = ask("?latest=1", "text/event-stream");
    EXPECT_EQ(answer.content_type, "text/event-stream");
    EXPECT_EQ(answer.headers.front().second, "no-store");
    const auto told = body_of(answer, [&](std::string_view piece) {
        if (piece.find("\"a\"") != std::string_view::npos) end_flow("b", EndReason::Closed);
        if (piece.find("\"b\"") != std::string_view::npos) over_ = true;
    });
    EXPECT_EQ(told, "event: ended\ndata: {\"name\":\"a\"}\n\nevent: ended\ndata: {\"name\":\"b\"}\n\n");
}

TEST_F(FlowLogOverHttp, a_comment_keeps_a_silent_stream_alive) {
    gateway::EndedFlowQuery query;
    query.follow = true;
    int comments = 0;
    query.is_over = [&] { return comments == 2; };
    std::string told;
    const auto sent = send_records(gateway_, query, RecordForm::Events, {std::chrono::milliseconds{0}},
                                   [&](std::string_view piece) -> Result<void> {
                                       told += piece;
                                       if (piece.starts_with(':')) ++comments;
                                       return {};
                                   });
    EXPECT_TRUE(sent);
    EXPECT_EQ(told, ": no flow has ended\n\n: no flow has ended\n\n");
}

TEST_F(FlowLogOverHttp, nothing_is_sent_to_a_client_that_has_gone) {
    gateway::EndedFlowQuery query;
    query.follow = true;
    const BodySink broken = [](std::string_view) -> Result<void> { return failed("the pipe is broken"); };
    EXPECT_EQ(send_records(gateway_, query, RecordForm::Ndjson, {}, broken).error().message, "the pipe is broken");
    start();
    {
        const auto follower = raw();
        follower.say("GET /v1/flow-log?follow=true HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(follower.hear("\r\n\r\n").starts_with("HTTP/1.1 200 ")) << "though there is no record yet";
        EXPECT_EQ(gateway_.streams(), 1);
    }
    EXPECT_TRUE(soon([&] { return server_->connections() == 0 && gateway_.streams() == 0; }));
}

TEST_F(FlowLogOverHttp, a_caller_sees_what_ended_on_its_own_firewalls) {
    end_flow("a", EndReason::Closed);
    end_flow("b", EndReason::Closed, 80, "core");
    end_flow("c", EndReason::Closed, 80, "lab");
    permissions_ = {access::Role::Viewer, {{"core", "lab"}}};
    EXPECT_EQ(names(""), "{\"name\":\"b\"}\n{\"name\":\"c\"}\n");
    EXPECT_EQ(names("?firewall=core"), "{\"name\":\"b\"}\n");
    const auto other = ask("?firewall=edge");
    const auto refused = other.stream([](std::string_view) { return Result<void>{}; });
    EXPECT_EQ(refused.error().kind, ErrorKind::Forbidden);
}

TEST_F(FlowLogOverHttp, the_agents_client_asks_for_the_same_and_takes_records_as_they_come) {
    end_flow("a", EndReason::Flushed);
    start();
    gateway::EndedFlowQuery query;
    query.reasons = {EndReason::Flushed, EndReason::Timeout};
    query.filters = {parse_flow_filter("destination-port=80,protocol=tcp").value(),
                     parse_flow_filter("source=2001:db8::/32").value()};
    query.firewalls = {"edge", "core"};
    query.latest = 7;
    query.follow = true;
    std::string told;
    query.is_over = [&] { return told.size() == 2; };
    const auto read = client()->for_each_ended(query, [&](std::string_view record) -> Result<void> {
        told += record.substr(9, 1);
        if (told == "a") end_flow("b", EndReason::Timeout);
        return {};
    });
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(told, "ab");
    const auto asked = gateway_.last_ended_query();
    EXPECT_EQ(asked.reasons, query.reasons);
    EXPECT_EQ(asked.filters, query.filters);
    EXPECT_EQ(asked.firewalls, query.firewalls);
    EXPECT_EQ(asked.latest, 7U);
    EXPECT_TRUE(asked.follow);
}

TEST_F(FlowLogOverHttp, the_agents_client_asks_for_each_condition) {
    start();
    gateway::EndedFlowQuery query;
    query.reasons = {EndReason::Evicted};
    query.filters = {parse_flow_filter("protocol=udp").value()};
    query.firewalls = {"edge"};
    query.since = parse_rfc3339("2026-11-21T09:30:00.123Z").value();
    query.until = parse_rfc3339("2026-11-21T10:30:00.456Z").value();
    query.user = "a user & more";
    query.operation_id = "4f7b";
    EXPECT_TRUE(client()->for_each_ended(query, [](std::string_view) { return Result<void>{}; }));
    const flowlog::EndedFlowFilter asked = gateway_.last_ended_query();
    EXPECT_EQ(asked, query);
}

TEST_F(FlowLogOverHttp, the_agents_client_comes_to_the_end_where_it_does_not_follow) {
    for (int i = 0; i < 1000; ++i)
        end_flow("x", EndReason::Closed);
    start();
    gateway::EndedFlowQuery query;
    query.filters = {FlowFilter{}};
    query.latest = 5000;
    int records = 0;
    EXPECT_TRUE(client()->for_each_ended(query, [&](std::string_view) -> Result<void> {
        ++records;
        return {};
    }));
    EXPECT_EQ(records, 1000);
    query.firewalls.emplace();
    EXPECT_TRUE(
        client()->for_each_ended(query, [&](std::string_view) -> Result<void> { return failed("none is meant"); }));
}

TEST_F(FlowLogOverHttp, the_agents_client_stops_on_request) {
    start();
    gateway::EndedFlowQuery query;
    query.follow = true;
    std::atomic<bool> enough = false;
    query.is_over = [&] { return enough.load(); };
    std::jthread asking{
        [&] { EXPECT_TRUE(client()->for_each_ended(query, [](std::string_view) { return Result<void>{}; })); }};
    EXPECT_TRUE(soon([&] { return gateway_.streams() == 1; }));
    enough = true;
    asking.join();
    EXPECT_TRUE(soon([&] { return gateway_.streams() == 0; }));
}

TEST_F(FlowLogOverHttp, an_agent_that_ends_is_an_end_for_its_client) {
    start();
    gateway::EndedFlowQuery query;
    query.follow = true;
    std::atomic<bool> ended = false;
    std::jthread asking{[&] {
        static_cast<void>(client()->for_each_ended(query, [](std::string_view) { return Result<void>{}; }));
        ended = true;
    }};
    EXPECT_TRUE(soon([&] { return gateway_.streams() == 1; }));
    server_.reset();
    EXPECT_TRUE(soon([&] { return ended.load(); }));
}

}  // namespace flow_log_handlers_test
}  // namespace headgate::http
