// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/aws_calls.h"

namespace headgate::testing {
namespace aws_flow_results_test {

class AwsResults : public AwsCalls {
  protected:
    JsonObject results(const std::string& id, std::string_view members = "") {
        return told("ListFlowOperationResults", body(id, members));
    }
    static std::string body(const std::string& id, std::string_view members = "") {
        return about_edge(fmt::format(R"("FlowOperationId":"{}"{})", id, members));
    }
    /// The JSON of the only flow of a capture.
    std::string told_of(const Flow& flow) {
        const auto id = started();
        gateway_.finish(id, {{flow, std::nullopt, 0}});
        const auto answer = ask("ListFlowOperationResults", body(id));
        const auto begin = answer.body.find("\"Flows\":[") + std::string_view{"\"Flows\":["}.size();
        return answer.body.substr(begin, answer.body.rfind(']') - begin);
    }
    /// The source ports of all flows, read page by page.
    std::vector<std::string> ports_of(const std::string& id, int page_size) {
        std::vector<std::string> ports;
        for (std::string token;;) {
            const auto page = results(id, fmt::format(R"(,"MaxResults":{}{})", page_size, token));
            EXPECT_LE(size_of(page, "Flows"), static_cast<std::size_t>(page_size));
            for (unsigned i = 0; i < size_of(page, "Flows"); ++i)
                ports.push_back(text(element(page, "Flows", i), "SourcePort"));
            if (!page.has("NextToken")) return ports;
            EXPECT_EQ(size_of(page, "Flows"), static_cast<std::size_t>(page_size));
            token = fmt::format(R"(,"NextToken":"{}")", text(page, "NextToken"));
        }
    }
    static Timestamp requested() { return operation_named("").requested_at; }
};

TEST_F(AwsResults, results_have_the_operation_and_its_flows) {
    const auto id = started();
    gateway_.finish(id, numbered_flows(0, 3));
    const auto page = results(id);
    EXPECT_EQ(text(page, "FirewallArn"), kEdge);
    EXPECT_EQ(text(page, "AvailabilityZone"), "a");
    EXPECT_EQ(text(page, "VpcEndpointId"), http::aws::vpc_endpoint_id("edge", "a"));
    EXPECT_EQ(text(page, "FlowOperationId"), id);
    EXPECT_EQ(text(page, "FlowOperationStatus"), "COMPLETED");
    EXPECT_TRUE(page.has("FlowRequestTimestamp"));
    EXPECT_FALSE(page.has("StatusMessage"));
    EXPECT_FALSE(page.has("NextToken"));
    EXPECT_EQ(size_of(page, "Flows"), 3U);
}

TEST_F(AwsResults, a_flow_has_ports_as_texts_and_both_directions_counted_together) {
    Flow flow = tcp_flow().from("10.0.1.2", 4711).to("10.0.2.2", 80).with_bytes(100, 70'000);
    flow.started = requested() - std::chrono::seconds{90};
    EXPECT_EQ(
        told_of(flow),
        R"({"SourceAddress":{"AddressDefinition":"10.0.1.2"},"DestinationAddress":{"AddressDefinition":"10.0.2.2"},)"
        R"("SourcePort":"4711","DestinationPort":"80","Protocol":"6","Age":90,"PacketCount":2,"ByteCount":70100})");
}

TEST_F(AwsResults, what_the_kernel_did_not_report_is_absent) {
    EXPECT_EQ(told_of(icmpv6_flow()), R"({"SourceAddress":{"AddressDefinition":"2001:db8:1::2"},)"
                                      R"("DestinationAddress":{"AddressDefinition":"2001:db8:2::2"},"Protocol":"58"})");
    Flow gre = FlowBuilder{Protocol::Gre};
    gre.original.source_port = 77;
    EXPECT_EQ(told_of(gre).find("Port"), std::string::npos) << "its key is no port";
}

TEST_F(AwsResults, numbers_stay_within_their_types) {
    Flow flow = udp_flow();
    flow.counters_original = Counters{2'147'483'647, UINT64_MAX};
    flow.counters_reply = Counters{1, 1};
    flow.started = Timestamp{std::chrono::nanoseconds{INT64_MIN}};
    const auto told = told_of(flow);
    EXPECT_NE(told.find(R"("Age":2147483647,"PacketCount":2147483647,"ByteCount":9223372036854775807)"),
              std::string::npos)
        << told;
    flow.counters_reply.reset();
    flow.counters_original->bytes = 7;
    EXPECT_NE(told_of(flow).find(R"("PacketCount":2147483647,"ByteCount":7)"), std::string::npos);
}

TEST_F(AwsResults, pages_have_every_flow_once) {
    const auto id = started();
    gateway_.finish(id, numbered_flows(0, 1234));
    const auto ports = ports_of(id, 100);
    ASSERT_EQ(ports.size(), 1234U);
    for (std::size_t i = 0; i < ports.size(); ++i)
        ASSERT_EQ(ports[i], fmt::format("{}", i));
    EXPECT_EQ(ports_of(id, 7).size(), 1234U);
    EXPECT_EQ(ports_of(id, 1).size(), 1234U);
}

TEST_F(AwsResults, a_full_last_page_promises_no_other) {
    const auto id = started();
    for (const std::uint32_t flows : {100U, 200U, 256U, 512U}) {
        gateway_.finish(id, numbered_flows(0, flows));
        EXPECT_EQ(ports_of(id, 100).size(), flows);
        EXPECT_EQ(ports_of(id, 64).size(), flows);
    }
    gateway_.finish(id, numbered_flows(0, 100));
    EXPECT_FALSE(results(id).has("NextToken"));
    gateway_.finish(id, numbered_flows(0, 101));
    EXPECT_EQ(size_of(results(id), "Flows"), 100U) << "a hundred by default";
    EXPECT_TRUE(results(id).has("NextToken"));
}

TEST_F(AwsResults, of_a_flush_only_flushed_flows_are_listed) {
    const auto id = started("StartFlowFlush");
    auto flows = numbered_flows(0, 1000);
    for (std::size_t i = 0; i < flows.size(); ++i)
        flows[i].outcome = i % 300 == 0 ? Outcome::Flushed : Outcome{static_cast<std::uint8_t>(1 + i % 3)};
    gateway_.finish(id, flows);
    const std::vector<std::string> flushed{"0", "300", "600", "900"};
    for (const int page : {1, 2, 3, 4, 100})
        EXPECT_EQ(ports_of(id, page), flushed) << page;
}

TEST_F(AwsResults, there_are_none_before_the_end_and_none_of_a_failure) {
    const auto id = started();
    gateway_.finish(id, numbered_flows(0, 200));
    const auto flows_when = [&](OperationStatus status) {
        gateway_.amend(id, [&](FlowOperation& operation) { operation.status = status; });
        const auto page = results(id, R"(,"MaxResults":10)");
        EXPECT_EQ(page.has("NextToken"), size_of(page, "Flows") != 0);
        return size_of(page, "Flows");
    };
    EXPECT_EQ(flows_when(OperationStatus::InProgress), 0U);
    EXPECT_EQ(flows_when(OperationStatus::Failed), 0U);
    EXPECT_EQ(flows_when(OperationStatus::CompletedWithErrors), 10U);
}

TEST_F(AwsResults, a_token_is_of_these_results_alone) {
    const auto id = started();
    gateway_.finish(id, numbered_flows(0, 3));
    const auto token = text(results(id, R"(,"MaxResults":2)"), "NextToken");
    EXPECT_EQ(token, "results:00000000/0000/4000/8000/000000000001:2");
    gateway_.complete_at_once(3);
    const auto other = started();
    EXPECT_EQ(refused("ListFlowOperationResults", body(other, fmt::format(R"(,"NextToken":"{}")", token))),
              "InvalidRequestException: NextToken: not a token that the results of operation " + other + " have given");
    for (const auto* wrong : {"operations:00000000/0000/4000/8000/000000000001", "results:2", "results", ":",
                              "results:00000000/0000/4000/8000/000000000001:x",
                              "results:00000000/0000/4000/8000/000000000001:18446744073709551616"}) {
        const auto error = refused("ListFlowOperationResults", body(id, fmt::format(R"(,"NextToken":"{}")", wrong)));
        EXPECT_TRUE(error.starts_with("InvalidRequestException: NextToken: ")) << error;
    }
    EXPECT_EQ(
        size_of(results(id, R"(,"NextToken":"results:00000000/0000/4000/8000/000000000001:18446744073709551615")"),
                "Flows"),
        0U)
        << "behind the end there is nothing";
}

TEST_F(AwsResults, results_of_an_operation_elsewhere_are_not_there) {
    const auto id = started();
    const auto elsewhere =
        fmt::format(R"({{"FirewallArn":"{}","AvailabilityZone":"b","FlowOperationId":"{}"}})", kEdge, id);
    EXPECT_TRUE(refused("ListFlowOperationResults", elsewhere).starts_with("ResourceNotFoundException"));
}

}  // namespace aws_flow_results_test
}  // namespace headgate::testing
