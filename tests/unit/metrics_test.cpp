// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/metrics/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <thread>

#include "support/authorized.h"
#include "support/memory_gateway.h"

namespace headgate::http {
namespace metrics_test {

using namespace std::chrono_literals;
using testing::MemoryGateway;

class MetricsOf : public ::testing::Test {
  protected:
    /// The value of a series, as text; empty when the series is absent.
    std::string value_of(const std::string& series) { return value_of(series, gateway_); }
    std::string value_of(const std::string& series, gateway::ManagedGateway& gateway) {
        std::istringstream lines{metrics_.exposition(gateway)};
        for (std::string line; std::getline(lines, line);)
            if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
        return {};
    }
    static FlowOperation ended(OperationType type, OperationStatus status) {
        FlowOperation operation;
        operation.id = "d77611cb-b168-4f0e-a047-dffa74611bc6";
        operation.endpoint = {"edge", "a", ""};
        operation.type = type;
        operation.status = status;
        operation.duration = 20ms;
        operation.counts = {.scanned = 100, .matched = 10, .flushed = 5, .gone = 3, .failed = 1, .protected_flows = 1};
        return operation;
    }
    static RequestRecord answered(std::string method, std::string_view route, int status) {
        RequestRecord record;
        record.method = std::move(method);
        record.path = "/v1/operations/4711?secret";
        record.caller.source_address = "192.0.2.7";
        record.route = route;
        record.status = status;
        record.duration = 3ms;
        return record;
    }

    MemoryGateway gateway_;
    Metrics metrics_;
};

TEST_F(MetricsOf, operations_are_counted_by_type_and_status) {
    EXPECT_EQ(value_of(R"(headgate_operations_total{firewall="edge",status="completed",type="flush"})"), "0");
    metrics_.count(ended(OperationType::Flush, OperationStatus::Completed), gateway_.configured);
    metrics_.count(ended(OperationType::Flush, OperationStatus::CompletedWithErrors), gateway_.configured);
    metrics_.count(ended(OperationType::Capture, OperationStatus::Failed), gateway_.configured);
    auto refused = ended(OperationType::Capture, OperationStatus::Failed);
    refused.refused = true;
    metrics_.count(refused, gateway_.configured);
    EXPECT_EQ(value_of(R"(headgate_operations_total{firewall="edge",status="completed",type="flush"})"), "1");
    EXPECT_EQ(value_of(R"(headgate_operations_total{firewall="edge",status="completed_with_errors",type="flush"})"),
              "1");
    EXPECT_EQ(value_of(R"(headgate_operations_total{firewall="edge",status="failed",type="capture"})"), "1");
    EXPECT_EQ(value_of(R"(headgate_operations_total{firewall="edge",status="refused",type="capture"})"), "1");
    EXPECT_EQ(value_of(R"(headgate_flows_scanned_total{firewall="edge",type="flush"})"), "200");
    EXPECT_EQ(value_of(R"(headgate_flows_matched_total{firewall="edge",type="capture"})"), "20");
}

TEST_F(MetricsOf, operations_that_were_begun_have_a_duration) {
    metrics_.count(ended(OperationType::Capture, OperationStatus::Completed), gateway_.configured);
    auto refused = ended(OperationType::Capture, OperationStatus::Failed);
    refused.id.clear();
    metrics_.count(refused, gateway_.configured);
    EXPECT_EQ(value_of(R"(headgate_operation_duration_seconds_count{firewall="edge",type="capture"})"), "1");
    EXPECT_EQ(value_of(R"(headgate_operation_duration_seconds_bucket{firewall="edge",type="capture",le="0.01"})"), "0");
    EXPECT_EQ(value_of(R"(headgate_operation_duration_seconds_bucket{firewall="edge",type="capture",le="0.025"})"),
              "1");
}

TEST_F(MetricsOf, flushed_flows_are_counted_by_outcome_and_a_dry_run_flushes_none) {
    metrics_.count(ended(OperationType::Flush, OperationStatus::Completed), gateway_.configured);
    auto dry_run = ended(OperationType::Flush, OperationStatus::Completed);
    dry_run.dry_run = true;
    metrics_.count(dry_run, gateway_.configured);
    EXPECT_EQ(value_of(R"(headgate_flows_flushed_total{firewall="edge",outcome="flushed"})"), "5");
    EXPECT_EQ(value_of(R"(headgate_flows_flushed_total{firewall="edge",outcome="gone"})"), "3");
    EXPECT_EQ(value_of(R"(headgate_flows_flushed_total{firewall="edge",outcome="failed"})"), "1");
    EXPECT_EQ(value_of(R"(headgate_flows_flushed_total{firewall="edge",outcome="protected"})"), "1");
}

TEST_F(MetricsOf, requests_are_counted_by_route_and_not_by_what_strangers_choose) {
    metrics_.count(answered("GET", "/v1/operations/{id}", 200));
    metrics_.count(answered("GET", "/v1/operations/{id}", 200));
    metrics_.count(answered("BREW", {}, 404));
    EXPECT_EQ(value_of(R"(headgate_http_requests_total{method="GET",route="/v1/operations/{id}",status="200"})"), "2");
    EXPECT_EQ(value_of(R"(headgate_http_requests_total{method="other",route="other",status="404"})"), "1");
    EXPECT_EQ(value_of(R"(headgate_http_request_duration_seconds_count{route="/v1/operations/{id}"})"), "2");
    const auto text = metrics_.exposition(gateway_);
    for (const auto* strange : {"4711", "secret", "BREW", "192.0.2.7"})
        EXPECT_EQ(text.find(strange), std::string::npos) << strange;
}

TEST_F(MetricsOf, a_flow_table_is_as_the_gateway_has_it_now) {
    gateway_.census = {{1'234'567, 2'000'000, 3}, 1'300'000, {}};
    const std::string edge = R"({availability_zone="a",firewall="edge"})";
    EXPECT_EQ(value_of("headgate_flow_table_entries" + edge), "1234567");
    EXPECT_EQ(value_of("headgate_flow_table_entries_peak" + edge), "1300000");
    EXPECT_EQ(value_of("headgate_flow_table_entries_limit" + edge), "2000000");
    gateway_.census = {{5, 0, 3}, std::nullopt, {}};
    EXPECT_EQ(value_of("headgate_flow_table_entries" + edge), "5");
    EXPECT_EQ(value_of("headgate_flow_table_entries_peak" + edge), "") << "what is not known is absent";
    EXPECT_EQ(value_of("headgate_flow_table_entries_limit" + edge), "") << "nor a limit that is none";
}

TEST_F(MetricsOf, midstream_packets_are_summed_over_hooks_and_directions) {
    gateway_.ruleset.counters = {{"drop", Hook::Forward, PacketDirection::Original, "tcp", 1, 60},
                                 {"drop", Hook::Forward, PacketDirection::Reply, "tcp", 2, 120},
                                 {"drop", Hook::Input, PacketDirection::Any, "tcp", 4, 240},
                                 {"drop", Hook::Forward, PacketDirection::Original, "udp", 8, 480},
                                 {"reject", Hook::Forward, PacketDirection::Original, "tcp", 16, 960}};
    const auto series = [](std::string_view what, std::string_view policy, std::string_view protocol) {
        return fmt::format(R"(headgate_midstream_{}_total{{availability_zone="a",firewall="edge",policy="{}",)"
                           R"(protocol="{}"}})",
                           what, policy, protocol);
    };
    EXPECT_EQ(value_of(series("packets", "drop", "tcp")), "7");
    EXPECT_EQ(value_of(series("bytes", "drop", "tcp")), "420");
    EXPECT_EQ(value_of(series("packets", "drop", "udp")), "8");
    EXPECT_EQ(value_of(series("bytes", "reject", "tcp")), "960");
}

TEST_F(MetricsOf, what_is_in_quarantine_is_counted_with_what_it_caught) {
    QuarantineEntry entry;
    entry.left = std::chrono::seconds{60};
    entry.packets = 40;
    entry.prefix = parse_prefix("192.0.2.7").value();
    ASSERT_TRUE(gateway_.quarantine.add({&entry, 1}));
    entry.packets = 2;
    entry.prefix = parse_prefix("192.0.2.8").value();
    ASSERT_TRUE(gateway_.quarantine.add({&entry, 1}));
    EXPECT_EQ(value_of(R"(headgate_quarantine_entries{availability_zone="a",firewall="edge"})"), "2");
    EXPECT_EQ(value_of(R"(headgate_quarantine_packets{availability_zone="a",firewall="edge"})"), "42");
}

TEST_F(MetricsOf, endpoints_that_share_a_namespace_are_counted_once) {
    gateway_.configured.firewalls = {{"edge", {{"a", "gw", 1, {}}, {"b", "/run/netns/gw", 2, {}}}}};
    gateway_.census = {{5, 10, 3}, 7, {}};
    EXPECT_EQ(value_of(R"(headgate_flow_table_entries{availability_zone="a",firewall="edge"})"), "5");
    EXPECT_EQ(metrics_.exposition(gateway_).find("availability_zone=\"b\""), std::string::npos);
}

TEST_F(MetricsOf, an_endpoint_that_cannot_be_read_is_left_out_and_counted) {
    gateway_.configured.firewalls = {{"edge", {{"a", {}, {}, {}}, {"b", "gone", {}, {}}}}};
    const std::string errors = "headgate_scrape_errors_total";
    EXPECT_EQ(value_of(errors + R"({availability_zone="a",firewall="edge"})"), "0");
    EXPECT_EQ(value_of(errors + R"({availability_zone="b",firewall="edge"})"), "2");
    EXPECT_EQ(value_of(R"(headgate_flow_table_entries{availability_zone="b",firewall="edge"})"), "");
    EXPECT_EQ(value_of(R"(headgate_flow_table_entries{availability_zone="a",firewall="edge"})"), "0");
}

TEST_F(MetricsOf, credentials_of_some_firewalls_read_of_those_alone) {
    gateway_.configured.firewalls = {{"core", {{"x", "gone", {}, {}}}}, {"edge", {{"a", {}, {}, {}}}}};
    EXPECT_EQ(value_of(R"(headgate_scrape_errors_total{availability_zone="x",firewall="core"})"), "1");
    const auto theirs = testing::authorized(gateway_, {access::Role::Viewer, {{"edge"}}});
    EXPECT_EQ(value_of(R"(headgate_flow_table_entries{availability_zone="a",firewall="edge"})", *theirs), "0");
    EXPECT_EQ(metrics_.exposition(*theirs).find("core"), std::string::npos);
}

TEST_F(MetricsOf, two_names_of_one_namespace_are_one) {
    gateway_.configured.firewalls = {{"edge", {{"a", "gw", 1, {}}, {"b", "/proc/1/ns/net", 2, {}}}}};
    gateway_.other_names = {{"/proc/1/ns/net", "/run/netns/gw"}};
    EXPECT_EQ(metrics_.exposition(gateway_).find("availability_zone=\"b\""), std::string::npos);
}

TEST_F(MetricsOf, metrics_without_a_firewall_are_for_credentials_of_all_firewalls) {
    gateway_.configured.firewalls = {{"core", {{"a", {}, {}, {}}}}, {"edge", {{"a", "gw", {}, {}}}}};
    gateway_.flow_log.sinks = {{"file", {10, 0, ""}}};
    auto elsewhere = ended(OperationType::Flush, OperationStatus::Completed);
    elsewhere.endpoint.firewall = "core";
    metrics_.count(elsewhere, gateway_.configured);
    metrics_.count(ended(OperationType::Capture, OperationStatus::Completed), gateway_.configured);
    const auto theirs = testing::authorized(gateway_, {access::Role::Viewer, {{"edge"}}});
    EXPECT_EQ(value_of(R"(headgate_flows_flushed_total{firewall="core",outcome="flushed"})"), "5");
    EXPECT_EQ(value_of(R"(headgate_operations_total{firewall="edge",status="completed",type="flush"})", *theirs), "0");
    EXPECT_EQ(value_of(R"(headgate_operations_total{firewall="edge",status="completed",type="capture"})", *theirs),
              "1");
    std::istringstream lines{metrics_.exposition(*theirs)};
    for (std::string line; std::getline(lines, line);)
        EXPECT_TRUE(line.starts_with("#") || line.find("firewall=\"edge\"") != std::string::npos) << line;
    const auto stranger = testing::authorized(gateway_, {access::Role::Viewer, std::vector<std::string>{}});
    EXPECT_EQ(metrics_.exposition(*stranger), "");
}

TEST_F(MetricsOf, a_firewall_that_is_not_configured_is_no_label) {
    auto strange = ended(OperationType::Capture, OperationStatus::Failed);
    strange.id.clear();
    strange.refused = true;
    strange.endpoint.firewall = "4711";
    metrics_.count(strange, gateway_.configured);
    EXPECT_EQ(value_of(R"(headgate_operations_total{firewall="",status="refused",type="capture"})"), "1");
    EXPECT_EQ(metrics_.exposition(gateway_).find("4711"), std::string::npos);
}

TEST_F(MetricsOf, lost_notifications_are_counted_by_their_source) {
    EXPECT_EQ(value_of(R"(headgate_events_lost_total{source="nftables"})"), "0");
    metrics_.count_ruleset_losses(2);
    metrics_.count_ruleset_losses(1);
    EXPECT_EQ(value_of(R"(headgate_events_lost_total{source="nftables"})"), "3");
}

TEST_F(MetricsOf, the_agent_reports_on_itself) {
    EXPECT_NE(metrics_.exposition(gateway_).find("headgate_build_info{version=\""), std::string::npos);
    EXPECT_GT(std::stod(value_of("headgate_start_time_seconds")), 1.7e9);
    EXPECT_GT(std::stod(value_of("process_resident_memory_bytes")), 1e6);
    EXPECT_GE(std::stod(value_of("process_open_fds")), 3);
    EXPECT_GT(std::stod(value_of("process_cpu_seconds_total")), 0);
}

TEST_F(MetricsOf, every_metric_is_explained_once) {
    metrics_.count(answered("GET", "/metrics", 200));
    std::istringstream lines{metrics_.exposition(gateway_)};
    std::set<std::string> explained;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string hash;
        std::string kind;
        std::string name;
        words >> hash >> kind >> name;
        if (kind == "HELP") {
            EXPECT_TRUE(explained.insert(name).second) << line;
        } else if (hash != "#") {
            EXPECT_TRUE(line.starts_with("headgate_") || line.starts_with("process_")) << line;
        }
    }
    EXPECT_EQ(explained.size(), 27U);
}

TEST_F(MetricsOf, many_may_count_and_read_at_once) {
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([this] {
                for (int n = 0; n < 100; ++n) {
                    metrics_.count(ended(OperationType::Flush, OperationStatus::Completed), gateway_.configured);
                    metrics_.count(answered("GET", "/metrics", 200));
                    if (n % 10 == 0) static_cast<void>(metrics_.exposition(gateway_));
                }
            });
        }
    }
    EXPECT_EQ(value_of(R"(headgate_operations_total{firewall="edge",status="completed",type="flush"})"), "400");
}

TEST_F(MetricsOf, the_flow_log_counts_flows_by_reason_and_reports_the_state_of_each_sink) {
    EXPECT_EQ(value_of(R"(headgate_flow_log_flows_total{reason="evicted"})"), "0") << "there from the start";
    EXPECT_EQ(value_of(R"(headgate_events_lost_total{source="conntrack"})"), "0");
    gateway_.flow_log.ended = {{EndReason::Flushed, 7}, {std::nullopt, 2}};
    gateway_.flow_log.events_lost = 5;
    gateway_.flow_log.dropped = 3;
    gateway_.flow_log.sinks = {{"file", {10, 0, ""}}, {"syslog", {4, 6, "connection refused"}}, {"file_2", {9, 1, ""}}};
    EXPECT_EQ(value_of(R"(headgate_flow_log_flows_total{reason="flushed"})"), "7");
    EXPECT_EQ(value_of(R"(headgate_flow_log_flows_total{reason="unknown"})"), "2");
    EXPECT_EQ(value_of(R"(headgate_events_lost_total{source="conntrack"})"), "5");
    EXPECT_EQ(value_of(R"(headgate_events_lost_total{source="nftables"})"), "0");
    EXPECT_EQ(value_of("headgate_flow_log_dropped_total"), "3");
    EXPECT_EQ(value_of(R"(headgate_flow_log_sink_written_total{sink="file"})"), "10");
    EXPECT_EQ(value_of(R"(headgate_flow_log_sink_written_total{sink="file_2"})"), "9");
    EXPECT_EQ(value_of(R"(headgate_flow_log_sink_dropped_total{sink="syslog"})"), "6");
    EXPECT_EQ(value_of(R"(headgate_flow_log_sink_up{sink="syslog"})"), "0");
    EXPECT_EQ(value_of(R"(headgate_flow_log_sink_up{sink="file_2"})"), "1");
}

}  // namespace metrics_test
}  // namespace headgate::http
