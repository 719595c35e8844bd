// SPDX-License-Identifier: GPL-2.0-or-later
// Calls of the AWS API on an in-memory gateway with two firewalls: `edge` in zones `a` and `b`, `core` in `a`.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "flow/json_reader.h"
#include "http/aws/aws_protocol.h"
#include "http/aws/firewall_names.h"
#include "support/memory_gateway.h"

namespace headgate::testing {

class AwsCalls : public ::testing::Test {
  protected:
    AwsCalls() {
        gateway_.configured.region = "eu-central-1";
        gateway_.configured.account = "123456789012";
        gateway_.configured.firewalls = {{"edge", {{"a", {}, {}, {}}, {"b", {}, {}, {}}}},
                                         {"core", {{"a", {}, {}, {}}}}};
        gateway_.id_format = "00000000-0000-4000-8000-{:012}";
        request_.method = "POST";
        request_.path = "/";
        request_.headers.emplace("content-type", "application/x-amz-json-1.0");
        request_.caller = {"sigv4", {}, "AKIDEXAMPLE", "", "192.0.2.7"};
    }

    http::Response ask(std::string_view operation, std::string body) {
        request_.headers["x-amz-target"] = "NetworkFirewall_20201112." + std::string{operation};
        request_.body = std::move(body);
        return http::carry_out_aws(gateway_, replays_, request_);
    }
    /// The response object of a call that must succeed.
    JsonObject told(std::string_view operation, std::string body) {
        const auto answer = ask(operation, std::move(body));
        EXPECT_EQ(answer.status, 200) << answer.body;
        return parse_json_object(answer.body).value();
    }
    /// The error of a call that must fail: `InvalidRequestException: what is wrong`.
    std::string refused(std::string_view operation, std::string body) {
        return error_of(ask(operation, std::move(body)));
    }
    static std::string error_of(const http::Response& answer) {
        constexpr std::string_view kNamespace = "com.amazonaws.networkfirewall#";
        EXPECT_GE(answer.status, 400) << answer.body;
        const auto object = parse_json_object(answer.body).value();
        const auto type = object.text("__type").value();
        EXPECT_TRUE(type.starts_with(kNamespace)) << type;
        return type.substr(kNamespace.size()) + ": " + object.text("Message").value();
    }
    static std::string text(const JsonObject& object, const std::string& name) {
        return object.text(name).value_or("absent");
    }
    static JsonObject inner(const JsonObject& object, const std::string& name) { return object.object(name).value(); }
    static std::size_t size_of(const JsonObject& object, const std::string& list) {
        return object.objects(list).value().size();
    }
    static JsonObject element(const JsonObject& object, const std::string& list, unsigned place) {
        return object.objects(list).value().at(place);
    }

    static constexpr std::string_view kEdge = "arn:aws:network-firewall:eu-central-1:123456789012:firewall/edge";

    /// A request body for firewall edge in zone a, with further members.
    static std::string about_edge(std::string_view members) {
        return fmt::format(R"({{"FirewallArn":"{}","AvailabilityZone":"a"{}{}}})", kEdge, members.empty() ? "" : ",",
                           members);
    }
    std::string started(std::string_view operation = "StartFlowCapture",
                        std::string_view filters = R"([{"SourcePort":"1:9"}])") {
        return text(told(operation, about_edge(fmt::format(R"("FlowFilters":{})", filters))), "FlowOperationId");
    }

    MemoryGateway gateway_;
    http::access::ReplayGuard replays_{kSystemClock.now()};
    http::Request request_;
};

}  // namespace headgate::testing
