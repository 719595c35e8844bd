// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/configuration.h"

#include <gtest/gtest.h>

namespace headgate::config {
namespace configuration_test {

Configuration two_firewalls() {
    Configuration configuration;
    const auto add = [&](std::string firewall, const std::vector<std::string>& zones) {
        auto& added = configuration.firewalls.emplace_back();
        added.name = std::move(firewall);
        for (const auto& zone : zones)
            added.endpoints.emplace_back().availability_zone = zone;
    };
    add("edge", {"a", "b"});
    add("core", {"b", "c"});
    return configuration;
}

/// The endpoint found, as FIREWALL/ZONE, or the error.
std::string found(const Configuration& configuration, std::optional<std::string_view> firewall,
                  std::optional<std::string_view> zone) {
    const auto choice = find_endpoint(configuration, firewall, zone);
    if (choice) return fmt::format("{}/{}", choice->firewall->name, choice->endpoint->availability_zone);
    EXPECT_EQ(choice.error().kind, ErrorKind::Invalid);
    return choice.error().message;
}

TEST(Configuration, an_endpoint_is_found_by_firewall_and_availability_zone) {
    const auto configuration = two_firewalls();
    EXPECT_EQ(found(configuration, "edge", "b"), "edge/b");
    EXPECT_EQ(found(configuration, "core", "b"), "core/b");
}

TEST(Configuration, what_leaves_no_choice_may_go_unsaid) {
    const auto configuration = two_firewalls();
    EXPECT_EQ(found(configuration, {}, "a"), "edge/a");
    EXPECT_EQ(found(configuration, {}, "c"), "core/c");
    Configuration one;
    one.firewalls = {default_firewall()};
    EXPECT_EQ(found(one, {}, {}), fmt::format("{}/local", one.firewalls.front().name));
}

TEST(Configuration, several_endpoints_and_none_named_is_an_error_with_the_choices) {
    const auto configuration = two_firewalls();
    EXPECT_EQ(found(configuration, {}, {}), "firewall: there are several: name one of edge, core");
    EXPECT_EQ(found(configuration, {}, "b"), "firewall: there are several: name one of edge, core");
    EXPECT_EQ(found(configuration, "edge", {}), "availability-zone: firewall edge has several: name one of a, b");
}

TEST(Configuration, an_unknown_name_is_an_error_with_the_known_ones) {
    const auto configuration = two_firewalls();
    EXPECT_EQ(found(configuration, "west", {}), "firewall: \"west\" is unknown (known: edge, core)");
    EXPECT_EQ(found(configuration, "west", "a"), "firewall: \"west\" is unknown (known: edge, core)");
    EXPECT_EQ(found(configuration, "core", "a"), "availability-zone: \"a\" is unknown (known: b, c)");
    EXPECT_EQ(found(configuration, {}, "z"), "availability-zone: \"z\" is unknown (known: a, b, c)");
    EXPECT_EQ(found(configuration, "we\nst", {}), "firewall: \"we?st\" is unknown (known: edge, core)");
}

TEST(Configuration, a_host_names_a_firewall_as_far_as_its_name_fits) {
    EXPECT_EQ(name_after_host("gw-1"), "gw-1");
    EXPECT_EQ(name_after_host("gw_1.example.org"), "gw-1-example-org");
    EXPECT_EQ(name_after_host(""), "localhost");
    EXPECT_EQ(name_after_host(std::string(200, 'a')), std::string(128, 'a'));
}

TEST(Configuration, an_endpoint_may_name_its_own_policy) {
    auto configuration = two_firewalls();
    auto& endpoint = configuration.firewalls.front().endpoints.front();
    EXPECT_EQ(policy_to_keep(configured_policy(configuration, endpoint)), std::nullopt);
    configuration.stream_exception_policy = "drop";
    EXPECT_EQ(policy_to_keep(configured_policy(configuration, endpoint)), "drop");
    endpoint.stream_exception_policy = "reject";
    EXPECT_EQ(policy_to_keep(configured_policy(configuration, endpoint)), "reject");
    endpoint.stream_exception_policy = "none";
    EXPECT_EQ(policy_to_keep(configured_policy(configuration, endpoint)), std::nullopt);
}

}  // namespace configuration_test
}  // namespace headgate::config
