#include <gtest/gtest.h>

#include "cli/endpoint_arguments.h"
#include "support/temporary_folder.h"

namespace headgate::cli {
namespace {

class Choosing : public ::testing::Test {
  protected:
    Choosing() {
        arguments_.configuration.file = folder_.write("headgate.yaml",
                                                      "firewalls:\n"
                                                      "- name: edge\n"
                                                      "  endpoints:\n"
                                                      "  - {availability_zone: a, netns: gw-a, conntrack_zone: 5}\n"
                                                      "  - {availability_zone: b}\n"
                                                      "protected: [protocol=ospf]\n");
    }

    std::string error() {
        const auto chosen = arguments_.choose();
        if (chosen) return "";
        EXPECT_EQ(chosen.error().kind, ErrorKind::Invalid);
        return chosen.error().message;
    }

    headgate::testing::TemporaryFolder folder_;
    EndpointArguments arguments_;
};

TEST_F(Choosing, a_configured_endpoint_gives_its_names) {
    arguments_.availability_zone = "a";
    const auto chosen = arguments_.choose();
    ASSERT_TRUE(chosen) << chosen.error().message;
    EXPECT_EQ(chosen->endpoint().firewall, "edge");
    EXPECT_EQ(chosen->endpoint().availability_zone, "a");
    EXPECT_EQ(chosen->endpoint().network_namespace, "") << "of a one-off run alone";
    EXPECT_TRUE(chosen->is_elsewhere());
    EXPECT_EQ(chosen->conntrack_zone(), 5);
}

TEST_F(Choosing, errors_name_the_argument) {
    EXPECT_EQ(error(), "--availability-zone: firewall edge has several: name one of a, b");
    arguments_.firewall = "core";
    EXPECT_EQ(error(), "--firewall: \"core\" is unknown (known: edge)");
    arguments_.network_namespace = "gw-a";
    EXPECT_EQ(error(), "--netns: a one-off run has no --firewall and no --availability-zone");
}

TEST_F(Choosing, a_one_off_run_is_protected_all_the_same) {
    arguments_.network_namespace = "gw-c";
    const auto chosen = arguments_.choose();
    ASSERT_TRUE(chosen) << chosen.error().message;
    EXPECT_EQ(chosen->endpoint().network_namespace, "gw-c");
    EXPECT_EQ(chosen->endpoint().availability_zone, "local");
    EXPECT_EQ(chosen->conntrack_zone(), std::nullopt);
    EXPECT_EQ(chosen->configuration().protected_filters.size(), 1U);
}

TEST_F(Choosing, an_endpoints_conntrack_zone_narrows_the_query) {
    arguments_.availability_zone = "a";
    const auto chosen = arguments_.choose();
    ASSERT_TRUE(chosen) << chosen.error().message;
    FlowQuery query;
    EXPECT_TRUE(chosen->narrow(query));
    EXPECT_EQ(query.zone, 5);
    EXPECT_TRUE(chosen->narrow(query)) << "the same zone may be named";
    query.zone = 6;
    EXPECT_EQ(chosen->narrow(query).error().message,
              "--zone: 6 is not in reach; the endpoint of firewall edge in a is conntrack zone 5");
}

TEST_F(Choosing, an_endpoint_without_a_conntrack_zone_leaves_the_query_as_it_is) {
    arguments_.availability_zone = "b";
    FlowQuery query;
    query.zone = 6;
    EXPECT_TRUE(arguments_.choose()->narrow(query));
    EXPECT_EQ(query.zone, 6);
}

TEST_F(Choosing, a_configuration_that_is_wrong_or_missing_is_an_error) {
    arguments_.network_namespace = "gw-a";
    arguments_.configuration.file = folder_.write("wrong.yaml", "region: a b\n");
    EXPECT_EQ(error(), folder_.path("wrong.yaml") + ":1: region: \"a b\" is not made of letters, digits and - alone");
    arguments_.configuration.file = folder_.path("missing.yaml");
    EXPECT_EQ(error(), folder_.path("missing.yaml") + ": No such file or directory");
    arguments_.configuration.file = "";
    EXPECT_EQ(error(), "--config: the name of the file is empty");
}

}  // namespace
}  // namespace headgate::cli
