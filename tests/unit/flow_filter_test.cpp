// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/flow_filter.h"

#include <gtest/gtest.h>

#include "support/flow_builder.h"

namespace headgate {
namespace flow_filter_test {

using namespace headgate::testing;

std::string error_of(std::string_view filter) {
    const auto parsed = parse_flow_filter(filter);
    return parsed ? "" : parsed.error().message;
}

TEST(FlowFilter, a_flow_matches_when_every_given_part_matches) {
    const auto filter =
        parse_flow_filter("source=10.0.1.0/24,destination=10.0.2.2,destination-port=80,protocol=tcp").value();
    EXPECT_TRUE(filter.matches(tcp_flow().from("10.0.1.9").to("10.0.2.2", 80)));
    EXPECT_FALSE(filter.matches(tcp_flow().from("10.0.3.9").to("10.0.2.2", 80)));
    EXPECT_FALSE(filter.matches(tcp_flow().from("10.0.1.9").to("10.0.2.3", 80)));
    EXPECT_FALSE(filter.matches(tcp_flow().from("10.0.1.9").to("10.0.2.2", 81)));
    EXPECT_FALSE(filter.matches(udp_flow().from("10.0.1.9").to("10.0.2.2", 80)));
}

TEST(FlowFilter, a_port_range_includes_both_ends) {
    const auto filter = parse_flow_filter("destination-port=80:443").value();
    EXPECT_TRUE(filter.matches(tcp_flow().to_port(80)));
    EXPECT_TRUE(filter.matches(tcp_flow().to_port(443)));
    EXPECT_FALSE(filter.matches(tcp_flow().to_port(79)));
    EXPECT_FALSE(filter.matches(tcp_flow().to_port(444)));
}

TEST(FlowFilter, a_port_matches_no_flow_without_ports) {
    const auto filter = parse_flow_filter("source-port=0:65535").value();
    EXPECT_TRUE(filter.matches(udp_flow()));
    EXPECT_TRUE(filter.matches(sctp_flow()));
    EXPECT_FALSE(filter.matches(icmp_flow()));
    EXPECT_FALSE(filter.matches(FlowBuilder{Protocol::Gre}));
}

TEST(FlowFilter, any_is_the_same_as_nothing) {
    const auto filter = parse_flow_filter("source=10.0.1.2,source-port=ANY,destination-port=any,protocol=ANY").value();
    EXPECT_EQ(filter, parse_flow_filter("source=10.0.1.2").value());
}

TEST(FlowFilter, protocols_go_by_name_in_any_case_or_number_and_may_be_several) {
    const auto filter = parse_flow_filter("protocol=TCP,protocol=17,protocol=icmpv6").value();
    EXPECT_EQ(filter.protocols, (std::vector{Protocol::Tcp, Protocol::Udp, Protocol::Icmpv6}));
    EXPECT_TRUE(filter.matches(icmpv6_flow()));
    EXPECT_FALSE(filter.matches(icmp_flow()));
}

TEST(FlowFilter, both_sides_of_a_translation_are_named_in_one_filter) {
    const auto filter = parse_flow_filter("destination=203.0.113.10,translated-destination=10.0.2.7").value();
    Flow flow = tcp_flow().from("198.51.100.4").to("203.0.113.10", 443);
    EXPECT_FALSE(filter.matches(flow));
    flow.reply.source = parse_address("10.0.2.8").value();
    EXPECT_FALSE(filter.matches(flow));
    flow.reply.source = parse_address("10.0.2.7").value();
    EXPECT_TRUE(filter.matches(flow));
    flow.original.destination = parse_address("203.0.113.11").value();
    EXPECT_FALSE(filter.matches(flow));
}

TEST(FlowFilter, the_translated_source_is_where_answers_go) {
    const auto filter = parse_flow_filter("translated-source=192.0.2.0/24").value();
    Flow flow = tcp_flow().from("10.0.1.9").to("10.0.2.2", 80);
    EXPECT_FALSE(filter.matches(flow));
    flow.reply.destination = parse_address("192.0.2.1").value();
    EXPECT_TRUE(filter.matches(flow));
}

TEST(FlowFilter, text_comes_back_as_it_went_in) {
    for (const auto* text : {"source=10.0.1.0/24,destination=10.0.2.2,source-port=1990:1994,destination-port=80,"
                             "translated-source=192.0.2.1,translated-destination=10.0.2.0/24,protocol=tcp,protocol=99",
                             "destination=2001:db8::/32", "protocol=sctp"}) {
        EXPECT_EQ(to_string(parse_flow_filter(text).value()), text);
    }
}

TEST(FlowFilter, errors_name_the_key_and_the_rule) {
    EXPECT_EQ(error_of("destination-port=70000"), "destination-port: 70000 is above 65535");
    EXPECT_EQ(error_of("source-port=10:5"), "source-port: 10:5 ends before it begins; the range is 5:10");
    EXPECT_EQ(error_of("source=10.0.0.0/33"), "source: 10.0.0.0/33: /33 is longer than /32");
    EXPECT_EQ(error_of("protocol=tpc"),
              "protocol: \"tpc\" is neither a protocol's name nor its number; did you mean \"tcp\"?");
    EXPECT_EQ(error_of("protocol=256"), "protocol: 256 is above 255, the highest protocol number");
    EXPECT_EQ(error_of("colour=red"),
              "colour: unknown key; a filter knows source, destination, source-port, "
              "destination-port, translated-source, translated-destination and protocol");
    EXPECT_EQ(error_of("source=10.0.0.1,source=10.0.0.2"), "source: given twice in one filter");
    EXPECT_EQ(error_of("source=10.0.0.1,destination=2001:db8::1"),
              "destination: 2001:db8::1 is not of the same family as the source, 10.0.0.1");
    EXPECT_EQ(error_of("translated-source=2001:db8::1,destination=10.0.0.1"),
              "translated-source: 2001:db8::1 is not of the same family as the destination, 10.0.0.1");
    EXPECT_EQ(error_of("10.0.0.1"), "\"10.0.0.1\" is not of the form key=value");
    EXPECT_NE(error_of(""), "");
    EXPECT_NE(error_of("protocol=tcp,"), "");
    EXPECT_NE(error_of(",protocol=tcp"), "");
    EXPECT_NE(error_of("source-port=+1"), "");
    EXPECT_NE(error_of("source-port= 1"), "");
    EXPECT_NE(error_of("source-port=1:2:3"), "");
}

}  // namespace flow_filter_test
}  // namespace headgate
