// SPDX-License-Identifier: GPL-2.0-or-later
// Signed requests, up to the point where a flow table is needed.
#include <gtest/gtest.h>

#include "gateway/local_gateway.h"
#include "http/access/authorized_gateway.h"
#include "support/flow_builder.h"
#include "support/temporary_folder.h"

namespace headgate::http::access {
namespace signed_requests_test {

class SignedRequests : public ::testing::Test {
  protected:
    [[nodiscard]] Result<FlowOperation> start_signed_at(Timestamp time) {
        gateway::OperationRequest wanted;
        wanted.query = testing::query_for_all();
        wanted.endpoint.firewall = "unknown";
        Request request;
        request.signature = RequestSignature{"a", time};
        return authorized(gateway_, request, replays_)->operations().start(wanted);
    }
    [[nodiscard]] config::Configuration configuration() const {
        config::Configuration configuration;
        configuration.state_dir = folder_.path("state");
        configuration.audit_log = folder_.path("audit.log");
        configuration.firewalls = {config::default_firewall()};
        return configuration;
    }
    [[nodiscard]] std::string audit_log() const {
        std::ifstream text{folder_.path("audit.log")};
        return {std::istreambuf_iterator<char>{text}, {}};
    }
    testing::TemporaryFolder folder_;
    gateway::LocalGateway gateway_{configuration()};
    ReplayGuard replays_{kSystemClock.now()};
};

TEST_F(SignedRequests, from_before_it_began_are_refused_and_recorded) {
    const auto started = start_signed_at(kSystemClock.now() - std::chrono::minutes{1});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind, ErrorKind::Expired);
    EXPECT_NE(audit_log().find(started.error().message), std::string::npos) << audit_log();
}

TEST_F(SignedRequests, that_could_not_be_started_fail_in_the_same_way_again) {
    const auto now = kSystemClock.now();
    const auto first = start_signed_at(now);
    const auto second = start_signed_at(now);
    ASSERT_FALSE(first);
    ASSERT_FALSE(second);
    EXPECT_EQ(first.error().kind, ErrorKind::Invalid);
    EXPECT_EQ(second.error().message, first.error().message);
}

}  // namespace signed_requests_test
}  // namespace headgate::http::access
