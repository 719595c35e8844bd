// Signed orders, as far as they come without a flow table.
#include "gateway/local_gateway.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "support/flow_builder.h"
#include "support/temporary_folder.h"

namespace headgate::gateway {
namespace local_gateway_test {

class LocalGatewaySignedOrders : public ::testing::Test {
  protected:
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
    static OperationOrder order_signed_at(Timestamp time) {
        OperationOrder order;
        order.query = testing::query_for_all();
        order.endpoint.firewall = "unknown";
        order.proof = Proof{"a", time};
        return order;
    }

    testing::TemporaryFolder folder_;
    LocalGateway gateway_{configuration()};
};

TEST_F(LocalGatewaySignedOrders, from_before_it_began_are_refused_and_recorded) {
    const auto started = gateway_.start(order_signed_at(SystemClock{}.now() - std::chrono::minutes{1}));
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().number, ESTALE);
    EXPECT_NE(audit_log().find(started.error().message), std::string::npos) << audit_log();
}

TEST_F(LocalGatewaySignedOrders, that_could_not_be_started_fail_in_the_same_way_again) {
    const auto order = order_signed_at(SystemClock{}.now());
    const auto first = gateway_.start(order);
    const auto second = gateway_.start(order);
    ASSERT_FALSE(first);
    ASSERT_FALSE(second);
    EXPECT_EQ(first.error().kind, ErrorKind::Invalid);
    EXPECT_EQ(second.error().message, first.error().message);
}

}  // namespace local_gateway_test
}  // namespace headgate::gateway
