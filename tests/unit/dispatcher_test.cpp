// SPDX-License-Identifier: GPL-2.0-or-later
// Steps common to all requests: authentication, rate limits, routing, and the form of the response.
#include "http/dispatcher.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "support/memory_gateway.h"

namespace headgate::http {
namespace dispatcher_test {

using testing::MemoryGateway;

class TheDispatcher : public ::testing::Test {
  protected:
    void SetUp() override { admit(1000, 8); }

    void admit(double requests_per_second, std::size_t most_in_hand) {
        access::Credentials credentials;
        credentials.tokens = {{"on-call", sha256("of-an-operator"), {access::Role::Operator, std::nullopt}},
                              {"dashboard", sha256("of-a-viewer"), {access::Role::Viewer, std::nullopt}}};
        credentials.certificates = {{"engineer", {access::Role::Operator, std::nullopt}}};
        door_.admit(std::move(credentials), requests_per_second, most_in_hand);
    }

    static Request request_for(const std::string& path, const std::string& token = {}) {
        Request request;
        request.method = "GET";
        request.path = path;
        request.admission = Admission::Credentials;
        request.caller.face = "tcp";
        request.caller.source_address = "10.0.0.9";
        if (!token.empty()) request.headers["Authorization"] = "Bearer " + token;
        return request;
    }
    static Request aws_request(const std::string& path = "/") {
        auto request = request_for(path);
        request.method = "POST";
        request.headers["X-Amz-Target"] = "NetworkFirewall_20201112.ListFirewalls";
        request.headers["Content-Type"] = "application/x-amz-json-1.0";
        return request;
    }
    Response ask(Request request) { return door_.answer(request); }
    static std::string header_of(const Response& answer, std::string_view name) {
        for (const auto& [field, value] : answer.headers)
            if (field == name) return value;
        return {};
    }

    MemoryGateway gateway_;
    Metrics metrics_;
    std::vector<std::string> log_;
    Dispatcher door_{gateway_, metrics_, [this](std::string_view line) { log_.emplace_back(line); }};
};

TEST_F(TheDispatcher, who_is_known_gets_in_with_their_name) {
    auto request = request_for("/v1/operations", "of-a-viewer");
    EXPECT_EQ(door_.answer(request).status, 200);
    EXPECT_EQ(request.caller.face, "token");
    EXPECT_EQ(request.caller.user, "dashboard");
    EXPECT_EQ(request.caller.source_address, "10.0.0.9");
    EXPECT_EQ(request.permissions.role, access::Role::Viewer);
    auto certified = request_for("/v1/operations");
    certified.certificate_name = "engineer";
    EXPECT_EQ(door_.answer(certified).status, 200);
}

TEST_F(TheDispatcher, unknown_clients_get_errors_in_the_form_of_their_protocol) {
    const auto rest = ask(request_for("/v1/operations"));
    EXPECT_EQ(rest.status, 401);
    EXPECT_EQ(rest.content_type, "application/problem+json");
    EXPECT_EQ(header_of(rest, "WWW-Authenticate"), "Bearer realm=\"headgate\"");
    const auto aws = ask(aws_request());
    EXPECT_EQ(aws.status, 403);
    EXPECT_NE(aws.body.find("#AccessDeniedException"), std::string::npos);
    EXPECT_EQ(ask(request_for("/v1/operations", "wrong")).status, 401);
}

TEST_F(TheDispatcher, what_reveals_nothing_is_open_to_all_and_admits_no_further_request) {
    EXPECT_EQ(ask(request_for("/healthz")).status, 200);
    EXPECT_EQ(ask(request_for("/openapi.yaml")).status, 200);
    EXPECT_EQ(ask(request_for("/")).content_type, "text/html; charset=utf-8");
    EXPECT_EQ(ask(request_for("/v1/session")).status, 401);
    EXPECT_EQ(ask(request_for("/metrics")).status, 401);
    EXPECT_EQ(ask(request_for("/readyz")).status, 401);
    EXPECT_EQ(ask(aws_request("/healthz")).status, 403) << "the AWS API behind an open path";
}

TEST_F(TheDispatcher, a_token_is_for_rest) {
    auto request = aws_request();
    request.headers["Authorization"] = "Bearer of-an-operator";
    EXPECT_EQ(ask(request).status, 403);
}

TEST_F(TheDispatcher, a_client_that_asks_too_often_learns_when_to_ask_again) {
    admit(1, 8);
    EXPECT_EQ(ask(request_for("/v1/operations", "of-a-viewer")).status, 200);
    EXPECT_EQ(ask(request_for("/v1/operations", "of-a-viewer")).status, 200);
    const auto third = ask(request_for("/v1/operations", "of-a-viewer"));
    EXPECT_EQ(third.status, 429);
    EXPECT_EQ(header_of(third, "Retry-After"), "1");
    EXPECT_EQ(ask(request_for("/v1/operations", "of-an-operator")).status, 200) << "others are not held back";
}

TEST_F(TheDispatcher, no_client_has_all_places_at_once) {
    admit(1000, 1);
    auto first = request_for("/v1/operations", "of-a-viewer");
    EXPECT_EQ(door_.answer(first).status, 200);
    EXPECT_EQ(ask(request_for("/v1/operations", "of-a-viewer")).status, 429) << "as long as the first is in hand";
    first.place.reset();
    EXPECT_EQ(ask(request_for("/v1/operations", "of-a-viewer")).status, 200);
}

TEST_F(TheDispatcher, a_body_that_would_take_much_memory_is_not_read) {
    auto request = request_for("/v1/operations", "of-an-operator");
    request.method = "POST";
    request.headers["Content-Type"] = "application/json";
    request.body = "{\"filters\":[" + std::string(20'000, ',') + "]}";
    EXPECT_EQ(ask(request).status, 413);
}

TEST_F(TheDispatcher, without_credentials_loopback_is_asked_as_loopback) {
    auto request = request_for("/v1/operations");
    request.admission = Admission::Anybody;
    request.headers["Host"] = "localhost:8443";
    EXPECT_EQ(door_.answer(request).status, 200);
    EXPECT_EQ(request.caller.face, "loopback");
    EXPECT_EQ(request.permissions, access::kEverything);
    request.headers["Host"] = "evil.example";
    EXPECT_EQ(door_.answer(request).status, 403);
    request.headers["Host"] = "localhost:8443";
    request.headers["Origin"] = "https://evil.example";
    EXPECT_EQ(door_.answer(request).status, 403);
}

TEST_F(TheDispatcher, a_page_of_another_site_asks_for_nothing_by_a_browser_that_comes_with_rights) {
    auto request = request_for("/v1/flow-table");
    request.admission = Admission::Anybody;
    request.headers["Host"] = "localhost:8443";
    request.headers["Sec-Fetch-Site"] = "cross-site";
    EXPECT_EQ(door_.answer(request).status, 403) << "a picture with that address";
    request.path = "/";
    EXPECT_EQ(door_.answer(request).status, 200) << "a link to the console";
    request = request_for("/v1/operations");
    request.certificate_name = "engineer";
    request.headers["Sec-Fetch-Site"] = "same-site";
    EXPECT_EQ(door_.answer(request).status, 403);
    request.headers["Sec-Fetch-Site"] = "same-origin";
    EXPECT_EQ(door_.answer(request).status, 200);
}

TEST_F(TheDispatcher, strangers_of_one_network_are_one) {
    admit(1, 8);
    std::vector<int> statuses;
    for (const auto* address : {"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"}) {
        auto request = request_for("/v1/operations");
        request.caller.source_address = address;
        statuses.push_back(ask(request).status);
    }
    EXPECT_EQ(statuses, (std::vector{401, 401, 429, 401}));
}

TEST_F(TheDispatcher, errors_before_a_request_is_parsed_have_the_form_of_its_protocol) {
    EXPECT_NE(door_.error_response(aws_request(), 413, "too long").body.find("#RequestEntityTooLargeException"),
              std::string::npos);
    EXPECT_NE(door_.error_response(aws_request(), 400, "cut").body.find("#InvalidRequestException"), std::string::npos);
    EXPECT_EQ(door_.error_response(request_for("/v1/operations"), 413, "too long").status, 413);
}

TEST_F(TheDispatcher, every_request_leaves_a_line_and_is_counted) {
    RequestRecord record;
    record.method = "GET";
    record.path = "/healthz";
    record.route = "/healthz";
    record.status = 200;
    door_.finished(record);
    door_.turned_away();
    ASSERT_EQ(log_.size(), 1U);
    EXPECT_NE(log_[0].find("GET /healthz 200"), std::string::npos) << log_[0];
    const auto told = metrics_.exposition(gateway_);
    EXPECT_NE(told.find("headgate_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1"),
              std::string::npos);
    EXPECT_NE(told.find("headgate_http_connections_turned_away_total 1"), std::string::npos);
}

}  // namespace dispatcher_test
}  // namespace headgate::http
