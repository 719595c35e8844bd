// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "flow/json_reader.h"
#include "gateway/version.h"
#include "http/rest/handlers.h"
#include "support/memory_gateway.h"

namespace headgate::http {
namespace health_handlers_test {

TEST(Health, an_agent_that_answers_is_healthy_whatever_has_failed) {
    testing::MemoryGateway gateway;
    gateway.fail_with({ErrorKind::DiskFault, "no disk", ENOSPC});
    gateway.findings = {{"store", {}, "no disk"}};
    const auto answer = show_health({});
    EXPECT_EQ(answer.status, 200);
    const auto object = parse_json_object(answer.body).value();
    EXPECT_EQ(object.text("status"), "ok");
    EXPECT_EQ(object.text("version"), gateway::kVersion);
}

TEST(Readiness, is_there_when_every_check_is_good) {
    testing::MemoryGateway gateway;
    gateway.findings = {{"flow_table", {"edge", "a", ""}, ""}, {"store", {}, ""}};
    const auto answer = show_readiness({}, gateway).value();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "application/json");
    EXPECT_EQ(answer.body, R"({"ready":true,"checks":[)"
                           R"({"check":"flow_table","firewall":"edge","availability_zone":"a","ok":true},)"
                           R"({"check":"store","ok":true}]})"
                           "\n");
}

TEST(Readiness, names_what_is_missing_and_where) {
    testing::MemoryGateway gateway;
    gateway.findings = {{"policy", {"edge", "a", ""}, "the kernel does not have \xff"}, {"store", {}, ""}};
    const auto answer = show_readiness({}, gateway).value();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, R"({"ready":false,"checks":[)"
                           R"({"check":"policy","firewall":"edge","availability_zone":"a","ok":false,)"
                           "\"message\":\"the kernel does not have \uFFFD\"},"
                           R"({"check":"store","ok":true}]})"
                           "\n");
}

}  // namespace health_handlers_test
}  // namespace headgate::http
