// SPDX-License-Identifier: GPL-2.0-or-later
// The rules for each member of a request, and how an error names the member.
#include <gtest/gtest.h>

#include "flow/filter_fields.h"
#include "flow/json_reader.h"
#include "http/aws/firewall_names.h"
#include "http/aws/shapes.h"

namespace headgate::http::aws {
namespace aws_shapes_test {

JsonReader reader_of(const std::string& text) {
    return JsonReader{parse_json_object(text).value(), JsonReader::Others::RefusedUnlessNull};
}

/// The error of a query with these filters; empty when there is none.
std::string filters_error(const std::string& filters) {
    auto reader = reader_of(R"({"FlowFilters":)" + filters + "}");
    FlowQuery query;
    read_flow_query(reader, query);
    return reader.finish() ? "" : reader.finish().error().message;
}

std::string filter_error(const std::string& members) {
    return filters_error("[{" + members + "}]");
}

TEST(AwsShapes, an_arn_begins_as_one_and_has_256_characters_at_most) {
    EXPECT_TRUE(parse_arn("arn:aws" + std::string(249, 'x')));
    EXPECT_FALSE(parse_arn("arn:aws" + std::string(250, 'x')));
    EXPECT_FALSE(parse_arn(""));
    EXPECT_FALSE(parse_arn("urn:aws:network-firewall"));
    EXPECT_TRUE(parse_arn("arn:aws-cn:network-firewall"));
}

TEST(AwsShapes, an_endpoint_id_is_its_prefix_and_letters_or_digits) {
    EXPECT_TRUE(parse_vpc_endpoint_id("vpce-"));
    EXPECT_TRUE(parse_vpc_endpoint_id("vpce-" + std::string(251, '7')));
    EXPECT_FALSE(parse_vpc_endpoint_id("vpce-" + std::string(252, '7')));
    EXPECT_FALSE(parse_vpc_endpoint_id("vpc-1234"));
    EXPECT_FALSE(parse_vpc_endpoint_id("vpce-12-34"));
    EXPECT_FALSE(parse_vpc_endpoint_id("vpce-\xC3\xA4"));
}

TEST(AwsShapes, a_uuid_is_in_lower_case) {
    EXPECT_TRUE(parse_uuid("0123abcd-4567-89ef-0123-456789abcdef"));
    EXPECT_FALSE(parse_uuid("0123ABCD-4567-89ef-0123-456789abcdef"));
    EXPECT_FALSE(parse_uuid("0123abcd-4567-89ef-0123-456789abcde"));
    EXPECT_FALSE(parse_uuid("0123abcd-4567-89ef-0123-456789abcdeff"));
    EXPECT_FALSE(parse_uuid("0123abcd4-567-89ef-0123-456789abcdef"));
}

TEST(AwsShapes, a_protocol_is_a_number_and_no_name) {
    EXPECT_EQ(parse_protocol_number("6"), Protocol::Tcp);
    EXPECT_EQ(protocol_number(Protocol::Icmpv6), "58");
    EXPECT_EQ(parse_protocol_number("255"), Protocol{255});
    for (const auto* wrong : {"tcp", "256", "-1", "", " 6", "6.0"})
        EXPECT_FALSE(parse_protocol_number(wrong)) << wrong;
}

TEST(AwsShapes, a_status_message_has_letters_digits_hyphens_and_spaces) {
    EXPECT_EQ(status_message_of("Flow operation error"), "Flow operation error");
    EXPECT_EQ(status_message_of("disk: \"full\"-2\n"), "disk   full -2 ");
    EXPECT_EQ(status_message_of(std::string(300, 'x')).size(), 256U);
}

TEST(AwsShapes, an_address_error_names_its_whole_path) {
    EXPECT_EQ(filters_error(R"([{},{"SourceAddress":{"AddressDefinition":"10.0.0.0/33"}}])"),
              "FlowFilters[1].SourceAddress.AddressDefinition: 10.0.0.0/33: /33 is longer than /32");
    EXPECT_EQ(filter_error(R"("DestinationAddress":{})"),
              "FlowFilters[0].DestinationAddress.AddressDefinition: missing");
    EXPECT_EQ(filter_error(R"("SourceAddress":"10.0.0.1")"), "FlowFilters[0].SourceAddress: not an object");
    EXPECT_EQ(filter_error(R"("SourceAddress":{"AddressDefinition":""})"),
              "FlowFilters[0].SourceAddress.AddressDefinition: an address or a prefix has 1 to 255 characters, not 0");
    EXPECT_EQ(
        filter_error(R"("SourceAddress":{"AddressDefinition":")" + std::string(256, '1') + "\"}"),
        "FlowFilters[0].SourceAddress.AddressDefinition: an address or a prefix has 1 to 255 characters, not 256");
    EXPECT_EQ(filter_error(R"("SourceAddress":{"AddressDefinition":"10.0.0.1"},)"
                           R"("DestinationAddress":{"AddressDefinition":"2001:db8::/64"})"),
              "FlowFilters[0].DestinationAddress: destination: 2001:db8::/64 is not of the same family as the source, "
              "10.0.0.1");
    EXPECT_EQ(filter_error(R"("SourceAddress":null,"SourcePort":null,"Protocols":null)"), "");
}

TEST(AwsShapes, ports_are_a_number_a_range_or_any) {
    EXPECT_EQ(filter_error(R"("SourcePort":"80","DestinationPort":"1990:1994")"), "");
    EXPECT_EQ(filter_error(R"("SourcePort":"ANY")"), "");
    EXPECT_EQ(filter_error(R"("SourcePort":80)"), "FlowFilters[0].SourcePort: not a text");
    EXPECT_EQ(filter_error(R"("SourcePort":"65536")"), "FlowFilters[0].SourcePort: 65536 is above 65535");
    EXPECT_EQ(filter_error(R"("DestinationPort":"9:1")"),
              "FlowFilters[0].DestinationPort: 9:1 ends before it begins; the range is 1:9");
    EXPECT_NE(filter_error(R"("DestinationPort":"80-90")"), "");
}

TEST(AwsShapes, protocols_are_a_list_of_texts) {
    EXPECT_EQ(filter_error(R"("Protocols":["6","17"])"), "");
    EXPECT_EQ(filter_error(R"("Protocols":[])"), "");
    EXPECT_EQ(filter_error(R"("Protocols":["6","TCP"])"),
              "FlowFilters[0].Protocols[1]: \"TCP\" is not the number of a protocol, from 0 to 255, as IANA assigns "
              "them");
    EXPECT_EQ(filter_error(R"("Protocols":[6])"), "FlowFilters[0].Protocols[0]: not a text");
    EXPECT_EQ(filter_error(R"("Protocols":"6")"), "FlowFilters[0].Protocols: not a list");
}

TEST(AwsShapes, there_are_1_to_20_filters) {
    const auto filters = [](int count) {
        std::string list = "[{}";
        for (int i = 1; i < count; ++i)
            list += ",{}";
        return list + "]";
    };
    EXPECT_EQ(filters_error(filters(20)), "");
    EXPECT_EQ(filters_error(filters(21)), "FlowFilters: 21 filters; an operation takes 20 at most");
    EXPECT_EQ(filters_error("[]"), "FlowFilters: empty: name the flows; an empty filter captures all");
    EXPECT_EQ(filters_error("null"), "FlowFilters: missing");
    EXPECT_EQ(filters_error("{}"), "FlowFilters: not a list");
    EXPECT_EQ(filters_error("[{},7]"), "FlowFilters[1]: not an object");
}

TEST(AwsShapes, a_minimum_age_is_a_number_that_is_not_negative) {
    const auto error = [](const std::string& age) { return filters_error("[{}],\"MinimumFlowAgeInSeconds\":" + age); };
    EXPECT_EQ(error("0"), "");
    EXPECT_EQ(error("2147483647"), "");
    EXPECT_EQ(error("null"), "");
    EXPECT_EQ(error("2147483648"), "MinimumFlowAgeInSeconds: 2147483648 is not a number from 0 to 2147483647");
    EXPECT_EQ(error("-1"), "MinimumFlowAgeInSeconds: -1 is not a number from 0 to 2147483647");
    EXPECT_EQ(error("18446744073709551615"), "MinimumFlowAgeInSeconds: out of range");
    EXPECT_EQ(error("1.5"), "MinimumFlowAgeInSeconds: not a whole number");
    EXPECT_EQ(error("\"60\""), "MinimumFlowAgeInSeconds: not a whole number");
    EXPECT_EQ(error("true"), "MinimumFlowAgeInSeconds: not a whole number");
}

TEST(AwsShapes, a_query_is_written_as_it_was_asked) {
    const std::string text =
        R"({"MinimumFlowAgeInSeconds":300,"FlowFilters":[{"SourceAddress":{"AddressDefinition":"10.0.1.0/24"},)"
        R"("DestinationAddress":{"AddressDefinition":"192.0.2.44"},"SourcePort":"1990:1994","DestinationPort":"80",)"
        R"("Protocols":["6","132"]},{}]})";
    auto reader = reader_of(text);
    FlowQuery query;
    read_flow_query(reader, query);
    ASSERT_TRUE(reader.finish());
    EXPECT_EQ(json_of([&](JsonMembers& members) { add_flow_query(members, query); }), text);
}

TEST(AwsShapes, every_part_of_a_filter_is_written) {
    const auto written = [](const FlowFilter& filter) {
        FlowQuery query;
        query.filters = {filter};
        return json_of([&](JsonMembers& members) { add_flow_query(members, query); });
    };
    for (const auto& field : kFilterFields) {
        FlowFilter filter;
        ASSERT_TRUE(field.parse(filter, field.is_port() ? "4242" : "192.0.2.42")) << field.key;
        EXPECT_NE(written(filter).find("42\""), std::string::npos) << field.key;
    }
    FlowFilter of_protocols;
    of_protocols.protocols = {Protocol::Sctp};
    EXPECT_NE(written(of_protocols).find("132"), std::string::npos);
}

TEST(AwsShapes, a_time_is_a_number_of_seconds_with_milliseconds) {
    const auto told = [](std::chrono::nanoseconds since_1970) {
        return json_of([&](JsonMembers& members) { add_timestamp(members, "T", Timestamp{since_1970}); });
    };
    EXPECT_EQ(told(std::chrono::milliseconds{1'795'289'000'007}), R"({"T":1795289000.007})");
    EXPECT_EQ(told(std::chrono::nanoseconds{1'999'999}), R"({"T":0.001})");
}

TEST(AwsNextToken, a_place_comes_back_in_the_alphabet_of_tokens) {
    const std::string place = "0123abcd-4567-89ef-0123-456789abcdef:17";
    const auto token = next_token("results", place);
    EXPECT_EQ(token.find('-'), std::string::npos) << token;
    EXPECT_EQ(parse_next_token("results", token), place);
    EXPECT_FALSE(parse_next_token("operations", token)) << "of another list";
}

TEST(AwsNextToken, a_token_has_1_to_4096_characters_of_its_alphabet) {
    EXPECT_TRUE(parse_next_token("x", "x:" + std::string(4094, 'y')));
    EXPECT_FALSE(parse_next_token("x", "x:" + std::string(4095, 'y')));
    EXPECT_FALSE(parse_next_token("x", ""));
    EXPECT_FALSE(parse_next_token("x", "x:a-b"));
    EXPECT_FALSE(parse_next_token("x", "x:a_b"));
}

TEST(AwsFirewallNames, ids_are_of_a_hash_of_the_names_alone) {
    EXPECT_EQ(vpc_endpoint_id("edge", "a"), vpc_endpoint_id("edge", "a"));
    EXPECT_NE(vpc_endpoint_id("edge", "a"), vpc_endpoint_id("edge", "b"));
    EXPECT_NE(vpc_endpoint_id("edge", "a"), vpc_endpoint_id("core", "a"));
    EXPECT_NE(vpc_endpoint_id("edge", "a").substr(5), subnet_id("edge", "a").substr(7));
    EXPECT_EQ(vpc_endpoint_id("edge", "a").size(), 22U) << "vpce- and 17 digits";
    EXPECT_TRUE(parse_vpc_endpoint_id(vpc_endpoint_id("edge", "a")));
    EXPECT_TRUE(subnet_id("edge", "a").starts_with("subnet-"));
    EXPECT_EQ(vpc_id("edge").size(), 21U);
}

TEST(AwsFirewallNames, a_text_has_always_the_same_uuid) {
    EXPECT_EQ(uuid_of("edge"), uuid_of("edge"));
    EXPECT_NE(uuid_of("edge"), uuid_of("core"));
    EXPECT_TRUE(parse_uuid(uuid_of("edge"))) << uuid_of("edge");
    EXPECT_EQ(uuid_of("edge")[14], '5') << "its version";
}

TEST(AwsFirewallNames, an_arn_has_region_account_and_name) {
    config::Configuration configuration;
    configuration.region = "eu-central-1";
    configuration.account = "123456789012";
    EXPECT_EQ(firewall_arn(configuration, "edge"), "arn:aws:network-firewall:eu-central-1:123456789012:firewall/edge");
    EXPECT_EQ(firewall_policy_arn(configuration, "edge"),
              "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/edge");
}

}  // namespace aws_shapes_test
}  // namespace headgate::http::aws
