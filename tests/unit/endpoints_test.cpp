// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/endpoints.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace headgate::gateway {
namespace endpoints_test {

class Choosing : public ::testing::Test {
  protected:
    [[nodiscard]] std::shared_ptr<const config::Configuration> configuration() const {
        return std::make_shared<const config::Configuration>(configuration_);
    }
    [[nodiscard]] Result<Endpoints::Pointer> choose() const { return Endpoints{configuration()}.find(name_); }
    std::string error() const {
        const auto chosen = choose();
        if (chosen) return "";
        EXPECT_EQ(chosen.error().kind, ErrorKind::Invalid);
        return chosen.error().message;
    }

    config::Configuration configuration_ = config::parse_configuration(
                                               "firewalls:\n"
                                               "- name: edge\n"
                                               "  endpoints:\n"
                                               "  - {availability_zone: a, netns: gw-a, conntrack_zone: 5}\n"
                                               "  - {availability_zone: b}\n",
                                               "headgate.yaml")
                                               .value();
    EndpointName name_;
};

TEST_F(Choosing, a_configured_endpoint_gives_its_names) {
    name_.availability_zone = "a";
    const auto chosen = choose();
    ASSERT_TRUE(chosen) << chosen.error().message;
    EXPECT_EQ((*chosen)->names(), (Endpoint{"edge", "a", ""})) << "a namespace is told of a one-off run alone";
    EXPECT_TRUE((*chosen)->is_elsewhere());
    EXPECT_EQ((*chosen)->conntrack_zone(), 5);
}

TEST_F(Choosing, errors_name_what_is_wrong) {
    EXPECT_EQ(error(), "availability-zone: firewall edge has several: name one of a, b");
    name_.firewall = "core";
    EXPECT_EQ(error(), "firewall: \"core\" is unknown (known: edge)");
    name_.network_namespace = "gw-a";
    EXPECT_EQ(error(), "netns: a one-off run has no --firewall and no --availability-zone");
}

TEST_F(Choosing, a_one_off_run_is_named_after_the_host) {
    name_.network_namespace = "gw-c";
    const auto chosen = choose();
    ASSERT_TRUE(chosen) << chosen.error().message;
    EXPECT_EQ((*chosen)->names().network_namespace, "gw-c");
    EXPECT_EQ((*chosen)->names().availability_zone, "local");
    EXPECT_EQ((*chosen)->conntrack_zone(), std::nullopt);
}

TEST_F(Choosing, a_policy_is_kept_in_a_namespace_whatever_it_is_called) {
    configuration_.stream_exception_policy = "drop";
    for (const auto& [name, kept] : {std::pair{"gw-a", true}, {"/proc/self/ns/net", true}, {"gw-c", false}}) {
        name_.network_namespace = name;
        EXPECT_EQ(choose().value()->policy_to_keep().has_value(), kept) << name;
    }
}

TEST_F(Choosing, the_names_of_an_endpoint_choose_it_again) {
    for (const auto& name : {EndpointName{"edge", "b", {}}, EndpointName{{}, {}, "gw-c"}}) {
        name_ = name;
        const auto endpoint = choose().value()->names();
        name_ = name_of(endpoint);
        EXPECT_EQ(choose().value()->names(), endpoint);
    }
}

TEST_F(Choosing, an_endpoints_conntrack_zone_narrows_the_query) {
    name_.availability_zone = "a";
    const auto chosen = choose();
    ASSERT_TRUE(chosen) << chosen.error().message;
    FlowQuery query;
    EXPECT_TRUE((*chosen)->narrow(query));
    EXPECT_EQ(query.zone, 5);
    EXPECT_TRUE((*chosen)->narrow(query)) << "the same zone may be named";
    query.zone = 6;
    EXPECT_EQ((*chosen)->narrow(query).error().message,
              "zone: 6 is not in reach; the endpoint of firewall edge in a is conntrack zone 5");
}

TEST_F(Choosing, an_endpoint_without_a_conntrack_zone_leaves_the_query_as_it_is) {
    name_.availability_zone = "b";
    FlowQuery query;
    query.zone = 6;
    EXPECT_TRUE(choose().value()->narrow(query));
    EXPECT_EQ(query.zone, 6);
}

class Reloading : public Choosing {
  protected:
    [[nodiscard]] Endpoints::Pointer found() const { return endpoints_.find({"edge", "a", {}}).value(); }
    void reload() { endpoints_.configure(configuration()); }

    config::FirewallEndpoint& settings() { return configuration_.firewalls.front().endpoints.front(); }

    Endpoints endpoints_{configuration()};
};

TEST_F(Reloading, keeps_what_was_learnt_about_a_table_that_remains) {
    found()->history()->peak = 7;
    settings().stream_exception_policy = "drop";
    reload();
    EXPECT_EQ(found()->policy_to_keep(), "drop");
    EXPECT_EQ(found()->history()->peak.load(), 7U);
}

TEST_F(Reloading, forgets_the_table_when_the_endpoint_has_another_one) {
    found()->history()->peak = 7;
    settings().netns = "gw-b";
    reload();
    EXPECT_EQ(found()->history()->peak.load(), 0U);
    found()->history()->peak = 5;
    settings().conntrack_zone = 6;
    reload();
    EXPECT_EQ(found()->history()->peak.load(), 0U) << "flows of another conntrack zone";
}

TEST_F(Reloading, lists_the_endpoints_in_the_order_of_the_configuration) {
    configuration_.firewalls.push_back(config::default_firewall());
    reload();
    std::vector<std::string> zones;
    for (const auto& each : endpoints_.all())
        zones.push_back(each->names().availability_zone);
    EXPECT_EQ(zones, (std::vector<std::string>{"a", "b", "local"}));
}

}  // namespace endpoints_test
}  // namespace headgate::gateway
